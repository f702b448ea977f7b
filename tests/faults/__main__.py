"""python -m tests.faults: every fault in full; prints what README quotes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.faults.kills import survived

KILLS = 200

with tempfile.TemporaryDirectory() as folder:
    print(f"kills survived: {survived(KILLS, Path(folder))} of {KILLS}", flush=True)
