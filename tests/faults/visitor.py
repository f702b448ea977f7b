"""A visitor without a browser: speaks the websocket protocol of a Streamlit server as far as reading pages needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE = 60.0  # seconds, for a page


@dataclass(frozen=True)
class Render:
    """A page asked for and drawn: ``seconds`` from the question to the script's end, and what went wrong, if anything.

    The page goes by its path, which for Home is empty; ``elements`` are what the server sent of it.
    """

    page: str
    seconds: float
    elements: int = 0
    failure: str = ""


@dataclass
class _Drawing:
    """What has come of a page so far."""

    page: str
    elements: int = 0
    failure: str = ""
    has_begun: bool = False
    is_over: bool = False

    def take(self, message: ForwardMsg) -> None:
        self.failure = self.failure or _failure(message)
        match message.WhichOneof("type"):
            case "new_session":
                self.has_begun = not message.metadata.run.fragment_ids
            case "navigation":
                self.has_begun = (
                    self.has_begun and _paths(message).get(self.page) == message.navigation.page_script_hash
                )
            case "page_not_found":
                self.is_over = True
            case "delta":
                self.elements += self.has_begun
            case "script_finished":
                self.is_over = self.has_begun and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


@dataclass
class _Repeat:
    """A part of the page that is asked for again every ``interval`` seconds; next when the clock is at ``due``."""

    interval: float
    due: float


class Visitor:
    """One session. What widgets hold is left to the server, as long as nobody touches them."""

    def __init__(self, socket: ClientConnection, query: str) -> None:
        self._socket = socket
        self._query = query
        self._page = ""
        self._hashes: dict[str, str] = {}  # pages as links name them, by path
        self._repeats: dict[str, _Repeat] = {}  # by fragment

    def open(self, page: str) -> Render:
        """Ask for ``page`` and wait until it is drawn."""
        asked = monotonic()
        self._page = page
        drawing = _Drawing(page, failure=f"not drawn after {PATIENCE:.0f} s")
        try:
            self._ask()
            drawing = self._drawn(_Drawing(page), asked + PATIENCE) or drawing
        except ConnectionClosed as error:
            drawing.failure = str(error)
        return Render(page, monotonic() - asked, drawing.elements, drawing.failure)

    def stay(self, seconds: float) -> str:
        """Look at the page, of which some parts repeat, until something goes wrong with these: what, if anything."""
        try:
            failures = (_failure(message) for message in self._messages(monotonic() + seconds))
            return next(filter(None, failures), "")
        except ConnectionClosed as error:
            return str(error)

    def _drawn(self, drawing: _Drawing, until: float) -> _Drawing | None:
        for message in self._messages(until):
            drawing.take(message)
            if drawing.is_over:
                return drawing
        return None

    def _ask(self, fragment: str = "") -> None:
        """For the page, or for a part of it that repeats."""
        state = ClientState(
            query_string=self._query,
            page_script_hash=self._hashes.get(self._page, ""),
            page_name=self._page,
            fragment_id=fragment,
            is_auto_rerun=bool(fragment),
        )
        self._socket.send(BackMsg(rerun_script=state).SerializeToString())

    def _messages(self, until: float) -> Iterator[ForwardMsg]:
        """What comes before the clock is at ``until``, while what repeats is asked for."""
        while (now := monotonic()) < until:
            self._ask_again(now)
            wait = min([until, *(repeat.due for repeat in self._repeats.values())]) - now
            try:
                message = ForwardMsg.FromString(self._socket.recv(timeout=wait, decode=False))
            except TimeoutError:
                continue
            self._note(message)
            yield message

    def _ask_again(self, now: float) -> None:
        for fragment, repeat in self._repeats.items():
            if repeat.due <= now:
                repeat.due = now + repeat.interval
                self._ask(fragment)

    def _note(self, message: ForwardMsg) -> None:
        """Keep pages and repeats as a browser does: a page that begins anew has no repeats yet."""
        match message.WhichOneof("type"):
            case "new_session" if not message.metadata.run.fragment_ids:
                self._repeats.clear()
            case "navigation":
                self._hashes = _paths(message)
            case "auto_rerun":
                self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            case "stop_auto_rerun":
                for fragment in message.stop_auto_rerun.fragment_ids:
                    self._repeats.pop(fragment, None)

    def _repeat(self, fragment: str, interval: float) -> None:
        known = self._repeats.get(fragment)
        if known is None or known.interval != interval:
            self._repeats[fragment] = _Repeat(interval, monotonic() + interval)


@contextmanager
def visit(address: str, query: str = "", cookie: str = "") -> Iterator[Visitor]:
    """A session at a server's ``address``, with ``query`` in each page's URL and a browser's ``cookie``."""
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    spoken, headers = [Subprotocol("streamlit")], {"Cookie": cookie} if cookie else {}
    with connect(
        stream, subprotocols=spoken, additional_headers=headers, max_size=None, open_timeout=PATIENCE
    ) as socket:
        yield Visitor(socket, query)


def _paths(message: ForwardMsg) -> dict[str, str]:
    """The pages' hashes by their paths."""
    return {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}


def _failure(message: ForwardMsg) -> str:
    """What went wrong on the server, if anything; it tells a visitor no more than the kind of error."""
    match message.WhichOneof("type"):
        case "delta" if message.delta.new_element.WhichOneof("type") == "exception":
            error = message.delta.new_element.exception
            return f"{error.type}: {error.message}"
        case "script_finished" if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            return "the script does not compile"
        case "page_not_found":
            return "page not found"
    return ""
