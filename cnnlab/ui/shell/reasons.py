"""Why something is refused or has failed, as pages say it: one way for all of them."""

from __future__ import annotations

from cnnlab.training.titles import in_form_words
from cnnlab.ui.shell.literal import literal


def as_reason(error: Exception | str, where: str = "") -> str:
    """Return an error's message as a sentence of Markdown that shows it as it is; settings have their forms' names.

    ``where`` follows the name of the setting that it is about.
    """
    return literal(in_form_words(str(error), where))
