"""What a click made of a version: the next one."""

from __future__ import annotations

from cnnlab.data.pictures.version import Version
from cnnlab.ui.data import PLACE
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.state import DATA_CHOSEN


def tell_change(latest: Version) -> None:
    """Choose a version that has just been made, and tell what changed with the next draw of the page."""
    DATA_CHOSEN.put(latest.key)
    say(
        PLACE,
        f"Version {latest.number}: {latest.change}. Under Versions you can undo it and see whether it helps.",
        "success",
    )
