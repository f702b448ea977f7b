"""The progress of a training, as text."""

from __future__ import annotations

from cnnlab.data.datasets import DATASETS
from cnnlab.data.download import downloaded_bytes
from cnnlab.jobs.job import Job
from cnnlab.quantities import estimate


def progress_text(job: Job) -> str:
    """Describe a job's stage and remaining time."""
    if job.state == "queued":
        return f"Waiting to train, number {max(job.place, 1)} in the queue"
    if job.state == "loading":
        return _loading_text(job.config.dataset)
    if job.state == "preparing":
        return _preparing_text(job)
    if job.state == "judging" or job.is_stopping:
        return "Testing on the test images" if job.state == "judging" else "Stopping, then testing the last epoch"
    epoch = min(len(job.history.epochs) + 1, job.epochs)
    text = f"Epoch {epoch} of {job.epochs}, step {job.step:,} of {job.steps:,}"
    if job.state == "paused":
        return f"Paused: {text}"
    left = job.seconds_left
    return text if left is None else f"{text}, {estimate(left)} left"


def _preparing_text(job: Job) -> str:
    done, left = job.prepared, job.seconds_left
    if done is None:
        return "Computing the features of frozen layers"
    text = f"Features of frozen layers, each image once: {done.images:,} of {done.of:,}"
    return text if left is None else f"{text}, {estimate(left)} left"


def _loading_text(dataset: str) -> str:
    fetched = downloaded_bytes(dataset)
    total = DATASETS[dataset].download_bytes
    return f"Downloading {fetched / 1e6:.0f} of about {total / 1e6:.0f} MB" if fetched else "Loading the data"
