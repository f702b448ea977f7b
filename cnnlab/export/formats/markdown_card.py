"""The card in Markdown, as Hugging Face and code hosts show it."""

from __future__ import annotations

from cnnlab.export.card.facts import facts
from cnnlab.export.card.markdown import markdown
from cnnlab.export.portable import Portable


def write(portable: Portable) -> bytes:
    """Write the card of the network's run. Raises as ``facts``."""
    return markdown(facts(portable)).encode()
