"""The server's trainings by their run's id, and the sessions that watch them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from secrets import token_hex

import streamlit as st

from cnnlab.jobs.job import Job
from cnnlab.ui.shell.audience import Audience, Watcher

GRACE_SECONDS = float(os.environ.get("CNNLAB_GRACE_SECONDS", "120"))


@dataclass
class Board:
    """Server-wide state: all jobs by their run's id, and the watchers of each."""

    jobs: dict[str, Job] = field(default_factory=dict)  # in the order in which they were added
    audience: Audience = field(default_factory=lambda: Audience(GRACE_SECONDS))

    def of(self, owner: str) -> list[Job]:
        """Return the trainings of an owner, running or ended, in the order in which they were added."""
        return [job for job in list(self.jobs.values()) if job.owner == owner]

    def let_go(self, job: Job) -> None:
        """Stop a job that nobody watches and remove it; its results are on disk."""
        if self.jobs.get(job.run.id) is job:
            del self.jobs[job.run.id]
        job.stop()


class Watch(Watcher):
    """A connected session; Streamlit releases it as soon as the socket closes."""

    def __init__(self, audience: Audience) -> None:
        super().__init__(audience)
        self.own: Job | None = None  # the training that it started last
        self.owner = token_hex(8)  # of its trainings


@st.cache_resource(show_spinner=False)
def the_board() -> Board:
    """Return this server's board."""
    return Board()


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda watch: watch.release())
def own_watch() -> Watch:
    """Return this session's watch over trainings."""
    return Watch(the_board().audience)
