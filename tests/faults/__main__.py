"""python -m tests.faults: every fault in full; prints what README quotes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.faults import disks, kills

KILLS, DISKS = 200, 50

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    print(f"kills survived: {kills.survived(KILLS, folder / 'kills')} of {KILLS}", flush=True)
    print(f"full or locked disks survived: {disks.survived_apart(DISKS, folder / 'disks')} of {DISKS}", flush=True)
