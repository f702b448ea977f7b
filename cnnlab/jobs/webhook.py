"""A message to another program when a training or a sweep has ended or failed, where CNNLAB_WEBHOOK says which."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from ipaddress import ip_address
from time import sleep
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from cnnlab.jobs.fair_share import Ticket
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Summary, title_of
from cnnlab.threads import WorkerThread

VARIABLE = "CNNLAB_WEBHOOK"
TIMEOUT = 5.0  # seconds without an answer
TRIES, PAUSE = 2, 1.0  # seconds between them

log = logging.getLogger(__name__)


class WebhookError(ValueError):
    """An address that nothing is sent to; the message says why."""


class _NoRedirect(HTTPRedirectHandler):
    """An answer that sends elsewhere, where nobody may have allowed it, is an error."""

    def redirect_request(self, *_: Any) -> None:
        return None


def tell_end(run: Run, summary: Summary, ticket: Ticket) -> WorkerThread | None:
    """Send what became of a run's training, as ``tell`` does; nothing of a trial, whose sweep tells."""
    if ticket.is_trial or not os.environ.get(VARIABLE):
        return None
    return tell(message(summary, title_of(run.config, summary, run.about)))


def tell(content: Mapping[str, object]) -> WorkerThread | None:
    """Send a message in a thread of its own; return None where no address is set, or a wrong one.

    A failure is logged, and never fails a training.
    """
    address = os.environ.get(VARIABLE, "")
    if not address:
        return None
    try:
        check(address)
    except WebhookError as error:
        log.warning("%s: %s; nothing is sent", VARIABLE, error)
        return None
    thread = WorkerThread(partial(_send, address, content), end=lambda: None, name="webhook")
    thread.start()
    return thread


def message(summary: Summary, title: str) -> dict[str, object]:
    """Return the message about a training that has ended."""
    return {
        "event": "run failed" if summary.status == "failed" else "run ended",
        "run": summary.id,
        "title": title,
        "status": summary.status,
        "accuracy": summary.test_accuracy,  # None: it was not tested
        "seconds": summary.seconds,
    }


def check(address: str) -> None:
    """Raise WebhookError unless an address is https, or http to this machine or a private address given as numbers.

    The name of a host may mean any address, and what is sent by http can be read on its way.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError as error:
        raise WebhookError("it is no address") from error
    if parts.scheme not in ("http", "https") or not host:
        raise WebhookError("it must start with https://")
    if parts.scheme == "http" and not _is_private(host):
        raise WebhookError("http is only for localhost and private addresses in numbers, such as http://192.168.1.5/")


def _is_private(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_private
    return host == "localhost"


def _send(address: str, content: Mapping[str, object]) -> None:
    body = json.dumps(content).encode()
    request = Request(address, body, {"Content-Type": "application/json"}, method="POST")
    for left in reversed(range(TRIES)):
        try:
            with build_opener(_NoRedirect).open(request, timeout=TIMEOUT):
                return
        except (OSError, HTTPException, ValueError) as error:
            if not left:
                log.warning("the webhook at %s did not take a message: %s", urlsplit(address).hostname, error)
                return
        sleep(PAUSE)
