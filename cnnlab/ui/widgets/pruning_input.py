"""The part of a branch's form about fewer filters."""

from __future__ import annotations

from typing import Any

from cnnlab.jobs.pruning import narrower
from cnnlab.ui.shell import session
from cnnlab.ui.widgets.config_inputs import number


def share_kept() -> dict[str, Any]:
    """Show what share of its parent's filters a branch keeps, and return the field."""
    share = number(
        "filters_kept",
        0.05,
        "%.3f",
        "Below 1, the weakest filters of each convolution are removed and the smaller network is fine-tuned. One or "
        "two epochs with a tenth of the learning rate are enough. Compare it with a branch that keeps all filters.",
    )
    return {"filters_kept": share}


def narrowed(fields: dict[str, Any]) -> dict[str, Any]:
    """Give a branch that keeps fewer filters its smaller network. Raises as ``narrower``."""
    keep: float = fields.get("filters_kept", 1.0)
    if keep == 1 or not (run := session.find_run(fields["parent"].run)):
        return fields
    return fields | {"architecture": narrower(run, fields["parent"].epoch, keep)}
