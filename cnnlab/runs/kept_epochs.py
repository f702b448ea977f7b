"""Which epochs' weights a run keeps: all at first, then ever fewer, so that a long training hardly takes more disk.

The rule needs no end: it is applied after each epoch, and to further epochs as to the first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

DENSE = 20  # epochs that are all kept
LAST = 2  # the last one goes on training, and a page may still read the one before
BEST = 2  # by validation accuracy, and by validation loss, which early stopping goes back to

RULE = (
    f"Keeps the weights of all of the first {DENSE} epochs, of every second up to {2 * DENSE}, of every fourth up to "
    f"{4 * DENSE}, and so on. Always keeps the best and the last."
)


def is_regular(epoch: int) -> bool:
    """Tell whether ``epoch`` is kept whatever follows: of the first 20 each, up to 40 every second, and so on."""
    stride = 1
    while epoch > DENSE * stride:
        stride *= 2
    return epoch % stride == 0


def unneeded(saved: Sequence[int], best: Collection[int]) -> list[int]:
    """Return those of the ``saved`` epochs, ascending, that are neither regular nor among the ``best`` or the last."""
    return [epoch for epoch in saved[:-LAST] if not is_regular(epoch) and epoch not in best]


def most_kept(last: int, after: int = 0) -> int:
    """Return how many epochs a training from ``after`` to ``last`` keeps at most."""
    epochs = range(after + 1, last + 1)
    kept = [epoch for epoch in epochs if is_regular(epoch) or epoch > last - LAST]
    return min(len(kept) + BEST, len(epochs))
