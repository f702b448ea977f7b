"""python -m tests.faults: every fault in full; prints what README quotes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.faults import additions, bad_photos, disks, inputs, kills, sessions, writers

KILLS, DISKS, WRITERS, INPUTS, PHOTOS, SESSIONS = 200, 50, 100, 500, 500, 20
THEMSELVES = 2  # commands of each kind of input, also run as processes of their own
LOAD_SECONDS = 120

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    print(f"kills survived: {kills.survived(KILLS, folder / 'kills')} of {KILLS}", flush=True)
    for more in (0, 2):
        tried = [kills.survived_at_each_write(config, folder / f"writes-{more}", more) for config in kills.CONFIGS]
        good, writes = map(sum, zip(*tried, strict=True))
        print(f"kills before each write survived, {more} epochs more: {good} of {writes}", flush=True)
    good, writes = additions.survived_at_each_write(folder / "additions")
    print(f"pictures added and killed before each write, nothing lost: {good} of {writes}", flush=True)
    print(f"full or locked disks survived: {disks.survived_apart(DISKS, folder / 'disks')} of {DISKS}", flush=True)
    unharmed = writers.unharmed(WRITERS, folder / "writers")
    print(f"writers at once, one of them killed, nothing lost: {unharmed} of {WRITERS}", flush=True)
    for what, inputs_of, kinds in (("inputs", INPUTS, inputs.KINDS), ("photos", PHOTOS, (bad_photos.cases,))):
        found = inputs.refused(inputs_of, folder / what, by_themselves=THEMSELVES, kinds=kinds)
        print(
            f"bad {what} refused in one clear line: {found.refused} of {inputs_of}; "
            f"the slowest took {found.slowest.seconds:.1f} s, the largest {found.largest.memory / 1e6:.0f} MB",
            flush=True,
        )
        for outcome in found.offending:
            print(f"  {outcome.what}: {outcome.wrong or 'slow or large'}")
    load = sessions.held(SESSIONS, LOAD_SECONDS, folder / "sessions")
    print(
        f"{SESSIONS} sessions: {len(load.renders)} pages drawn, {len(load.failures)} failed, "
        f"p50 {load.seconds(50):.2f} s, p95 {load.seconds(95):.2f} s; trainings {load.training}, "
        f"after all left {load.after.training}; memory {load.before.memory / 1e6:.0f} MB before, "
        f"{load.after.memory / 1e6:.0f} MB after ({load.growth:+.1%})",
        flush=True,
    )
