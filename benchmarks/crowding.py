"""A class at work on one server: sessions that read, and browsers, two of which train. Is anything lost or slow?"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random
from time import monotonic, perf_counter, sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Browser, Page, expect

from benchmarks.browsing import answered, go
from benchmarks.schooling import CODE, TEACHERS_CODE, class_server, join
from cnnlab.jobs.job import Job
from cnnlab.people.identity import id_of_browser, people_folder, server_secret
from cnnlab.people.members import Member, Members
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell.browser_key import COOKIE
from tests.browser.browsing import PATIENCE, launched, start_training
from tests.faults.sessions import PAGES, walk
from tests.faults.visitor import Render

SESSIONS = 30
SECONDS = 600.0
THOUGHT = (5.0, 15.0)  # seconds on a page, at least and at most
TRAINERS = ("Ada", "Bob")
READERS = {"Ms D": TEACHERS_CODE, "Cyd": CODE}  # in browsers, as the two that train
READ = ("Inside", "Evaluate", "Draw", "Compare", "Class", "Sweep")

Figures = dict[str, Any]


def measure(sessions: int = SESSIONS, seconds: float = SECONDS) -> Figures:
    """Return the waits of all who read a class's server for a time, and what became of the two trainings meanwhile."""
    with class_server() as (address, runs), launched() as browser:
        trainers = [_come_in(browser, address, name, CODE) for name in TRAINERS]
        readers = [_come_in(browser, address, name, code) for name, code in READERS.items()]
        pupils = _pupils(runs, sessions)
        for page in trainers:
            start_training(page, address, train_fraction=1)
        before = _epochs(runs, trainers)
        with ThreadPoolExecutor(sessions) as pool:
            walks = [
                pool.submit(walk, address, run, seconds, Random(number), (*PAGES, "Class"), THOUGHT, cookie)
                for number, (run, cookie) in enumerate(pupils)
            ]
            clicks, answers = _read(readers, walks, seconds)
            first, later = _parted([each.result() for each in walks])
        shown, after = [_shown(page) for page in trainers], _epochs(runs, trainers)
        failures = _failures([*first, *later], [*trainers, *readers]) + _lost(shown, after)
    return {
        "sessions": sessions,
        "seconds": seconds,
        **_waits("page", [render.seconds for render in later]),
        **_waits("first", [render.seconds for render in first]),
        **_waits("click", clicks),
        **_waits("answer", answers),
        "epochs": [last - first for first, last in zip(before, after, strict=True)],
        "failures": failures,
    }


def _come_in(browser: Browser, address: str, name: str, code: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    join(page, address, name, code)
    return page


def _pupils(runs: Path, count: int) -> list[tuple[Run, str]]:
    """Return a run and a cookie of each of ``count`` members, who joined with the code that others came in with."""
    people, members = people_folder(runs), Members(people_folder(runs))
    proof = next(
        member.proof for one, name in members.names().items() if name == TRAINERS[0] and (member := members.get(one))
    )
    tokens = [secrets.token_urlsafe(32) for _ in range(count)]
    own = [id_of_browser(server_secret(people), token) for token in tokens]
    for number, member_id in enumerate(own):
        members.put(member_id, Member(name=f"Pupil {number + 1}", proof=proof))
    jobs = [
        Job.start(RunConfig(epochs=2, seed=number, train_fraction=0.2), RunStore(runs, member_id))
        for number, member_id in enumerate(own)
    ]
    for job in jobs:
        job.join()
    return [(job.run, f"{COOKIE}={token}") for job, token in zip(jobs, tokens, strict=True)]


def _read(pages: Sequence[Page], walks: Sequence[Future[Any]], seconds: float) -> tuple[list[float], list[float]]:
    """Switch pages in browsers until the sessions have gone; return the seconds of clicks, and of drawn digits."""
    random, until = Random(0), monotonic() + seconds
    clicks: list[float] = []
    answers: list[float] = []
    while monotonic() < until and not all(walk.done() for walk in walks):
        for page in pages:
            sleep(random.uniform(*THOUGHT) / len(pages))
            name = random.choice(READ)
            clicks.append(_clicked(page, name))
            if name == "Draw":
                answers.append(answered(page) / 1e3)
    return clicks, answers


def _parted(walks: Sequence[Sequence[Render]]) -> tuple[list[Render], list[Render]]:
    """Part what each has seen for the first time, for which networks answer and charts are computed, from the rest."""
    first: list[Render] = []
    later: list[Render] = []
    for renders in walks:
        seen: set[str] = set()
        for render in renders:
            (later if render.page in seen else first).append(render)
            seen.add(render.page)
    return first, later


def _clicked(page: Page, name: str) -> float:
    """Return the seconds from the click in the menu until the script of the page has ended."""
    began = perf_counter()
    go(page, name)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    return perf_counter() - began


def _epochs(runs: Path, trainers: Sequence[Page]) -> list[int]:
    """Return how many epochs of each browser's training are on disk."""
    ids = [parse_qs(urlsplit(page.url).query)["run"][0] for page in trainers]
    return [len(Run(runs / run_id).history().epochs) for run_id in ids]


def _shown(page: Page) -> int:
    """Return which epoch the page of a training shows."""
    found = re.search(r"Epoch (\d+) of", page.get_by_test_id("stMain").inner_text())
    return int(found[1]) if found else -1


def _lost(shown: Sequence[int], on_disk: Sequence[int]) -> list[str]:
    """Say which pages show an epoch that is not on disk, or none."""
    pairs = zip(shown, on_disk, strict=True)
    return [f"a page shows epoch {epoch}, {last} are on disk" for epoch, last in pairs if not 0 < epoch <= last + 1]


def _failures(renders: Sequence[Render], pages: Sequence[Page]) -> list[str]:
    of_sessions = [f"{render.page or 'Home'}: {render.failure}" for render in renders if render.failure]
    return of_sessions + [text for page in pages for text in page.get_by_test_id("stException").all_inner_texts()]


def _waits(what: str, seconds: Sequence[float]) -> dict[str, float]:
    """Return how many there were, and the milliseconds that half, all but a twentieth and all did not exceed."""
    p50, p95, longest = (1e3 * float(np.percentile(seconds, percent)) for percent in (50, 95, 100))
    return {
        f"{what}_count": len(seconds),
        f"{what}_p50_ms": p50,
        f"{what}_p95_ms": p95,
        f"{what}_longest_ms": longest,
    }


def table(figures: Figures) -> str:
    """Write the figures as a list."""
    names = {
        "page": "pages drawn for sessions",
        "first": "more, each a person's first of its kind",
        "click": "clicks in browsers",
        "answer": "digits drawn in browsers",
    }
    waits = [
        f"- {figures[f'{what}_count']:,} {name}: p50 {figures[f'{what}_p50_ms']:.0f} ms, "
        f"p95 {figures[f'{what}_p95_ms']:.0f} ms, longest {figures[f'{what}_longest_ms']:.0f} ms"
        for what, name in names.items()
    ]
    epochs = " and ".join(map(str, figures["epochs"]))
    lost = len(figures["failures"])
    return "\n".join([*waits, f"- epochs of the two trainings meanwhile: {epochs}", f"- failures: {lost or 'none'}"])


if __name__ == "__main__":
    print(figures := measure())
    print(table(figures))
