"""python -m tests.faults: every fault in full; prints what README quotes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.faults import disks, kills, sessions

KILLS, DISKS, SESSIONS = 200, 50, 20
LOAD_SECONDS = 120

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    print(f"kills survived: {kills.survived(KILLS, folder / 'kills')} of {KILLS}", flush=True)
    print(f"full or locked disks survived: {disks.survived_apart(DISKS, folder / 'disks')} of {DISKS}", flush=True)
    load = sessions.held(SESSIONS, LOAD_SECONDS, folder / "sessions")
    print(
        f"{SESSIONS} sessions: {len(load.renders)} pages drawn, {len(load.failures)} failed, "
        f"p50 {load.seconds(50):.2f} s, p95 {load.seconds(95):.2f} s; trainings {load.training}, "
        f"after all left {load.after.training}; memory {load.before.memory / 1e6:.0f} MB before, "
        f"{load.after.memory / 1e6:.0f} MB after ({load.growth:+.1%})",
        flush=True,
    )
