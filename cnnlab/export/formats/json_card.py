"""The card as JSON, for programs."""

from __future__ import annotations

import json

from cnnlab.export.card.facts import facts
from cnnlab.export.portable import Portable


def write(portable: Portable) -> bytes:
    """Write the facts of the network's run. Raises as ``facts``."""
    return json.dumps(facts(portable), indent=1).encode()
