"""Pieces along an axis, joined by arrows with the shape where it changes."""

from __future__ import annotations

from cnnlab.networks.diagram.glyphs import Piece, head, line, moved, text, text_width
from cnnlab.networks.layers import Shape, shown

GAP = 15.0  # length of an arrow without words


class Track:
    """Join pieces along an axis by arrows with the shape where it changes."""

    def __init__(self, shape: Shape) -> None:
        self.parts: list[str] = []
        self.above = self.below = 4.0
        self._x = self._from = self._seen = 0.0  # the last piece's end, its arrow's begin, its visible end
        self._written = shape

    def add(self, piece: Piece, shape: Shape) -> None:
        """Append ``piece``, whose input has ``shape``."""
        words = self._words(shape)
        free = self._x - self._seen + piece.entry
        x = self._x + max(GAP - free, text_width(words) + 12 - free, 0 if piece.entry else GAP)
        end = x + piece.entry
        self._join(end, words, is_known=bool(shape))
        self.parts += [head(end, 0, bool(shape)), moved(piece.svg, x)]
        self._x, self._from, self._seen = x + piece.width, x + piece.exit, x + piece.right
        self.above, self.below = max(self.above, piece.above), max(self.below, piece.below)

    def begin(self, piece: Piece) -> None:
        """Put a piece without an input first."""
        self.parts.append(piece.svg)
        self._x, self._from, self._seen = piece.width, piece.exit, piece.right
        self.above, self.below = max(self.above, piece.above), max(self.below, piece.below)

    def end(self, shape: Shape) -> Piece:
        """Return all pieces as one, whose output on the right edge has ``shape``."""
        words = self._words(shape)
        width = max(self._x, self._seen + max(GAP, text_width(words) + 12))
        self._join(width, words, is_known=bool(shape))
        return Piece("".join(self.parts), width, self.above, self.below, 0.0, width, width)

    def _words(self, shape: Shape) -> str:
        if not shape or shape == self._written:
            return ""
        self._written = shape
        return shown(shape)

    def _join(self, end: float, words: str, is_known: bool) -> None:
        self.parts.append(line(f"M{self._from:.1f} 0H{end:.1f}", is_known))
        if words:
            self.parts.append(text((self._seen + end) / 2 - 1, -5, words, "shape"))
            self.above = max(self.above, 14)
