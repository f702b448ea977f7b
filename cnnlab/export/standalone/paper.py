"""Pictures of dark or light things on paper or a dark ground: their ground becomes black, as networks learned them."""

from __future__ import annotations

from math import floor

from cnnlab.export.standalone.resizing import Rows

RIM = 1 / 8  # widest rim of a scanner or a frame, as a share of a picture's side
SPAN = 0.98  # least share of a side that its rim covers
BUSY = 0.3  # largest share of ink on the line inside a rim; more is no plain ground
FREE = 0.5  # least share of a rim that no ink touches
CONTRAST = 0.09  # share of the strongest contrast that counts as none
STRAY = 0.001  # share of pixels ignored as outliers among a picture's tones

Colour = list[Rows]  # red, green, blue
Mask = list[list[bool]]


def on_dark(picture: Colour, rim_sides: int) -> Colour:
    """Make the ground black and everything on it light; a rim along ``rim_sides`` or more sides is cut off."""
    light = grey(picture)
    rim = _rim(light, rim_sides)
    if any(map(any, rim)):
        picture = [_painted(channel, rim, int(_median(_border(_inside(channel))))) for channel in picture]
        light = grey(picture)
    ground = _median(_border(light))
    darkest, lightest = _levels(light)
    is_inverted = ground - darkest > lightest - ground
    tables = [_table(_median(_border(channel)), is_inverted) for channel in picture]
    return [[[table[tone] for tone in row] for row in channel] for channel, table in zip(picture, tables, strict=True)]


def grey(picture: Colour) -> Rows:
    """Weigh red, green and blue as Pillow does (ITU-R 601-2)."""
    return [
        [(19595 * red + 38470 * green + 7471 * blue + 32768) >> 16 for red, green, blue in zip(*rows, strict=True)]
        for rows in zip(*picture, strict=True)
    ]


def as_ink(light: Rows) -> Rows:
    """Scale light strokes on black as if their pen were white."""
    brightest = max(map(max, light))
    strokes = _median([tone for row in light for tone in row if tone > brightest / 2]) or 1
    return [[round(min(tone / strokes * 255, 255)) for tone in row] for row in light]


def _border(rows: Rows) -> list[int]:
    return [*rows[0], *rows[-1], *(row[0] for row in rows), *(row[-1] for row in rows)]


def _inside(rows: Rows) -> Rows:
    """Crop to the part that no rim reaches."""
    down, across = int(RIM * len(rows)), int(RIM * len(rows[0]))
    return [row[across : len(row) - across] for row in rows[down : len(rows) - down]]


def _median(numbers: list[int]) -> float:
    ordered, middle = sorted(numbers), len(numbers) // 2
    return (ordered[middle] + ordered[~middle]) / 2 if ordered else 0.0


def _levels(light: Rows) -> tuple[int, int]:
    """Return the darkest and the lightest tone, without the STRAY share of outliers."""
    counts = [0] * 256
    for row in light:
        for tone in row:
            counts[tone] += 1
    below, total, shares = 0, sum(counts), []
    for count in counts:
        below += count
        shares.append(below / total)
    darkest = next(tone for tone, share in enumerate(shares) if share > STRAY)
    return darkest, next(tone for tone, share in enumerate(shares) if share >= 1 - STRAY)


def _table(ground: float, is_inverted: bool) -> list[int]:
    """Return the new tone of each: the ground becomes 0, and the end of the scale 255."""
    farthest = max(ground if is_inverted else 255 - ground, 1.0)
    away = [ground - tone if is_inverted else tone - ground for tone in range(256)]
    return [min(round(max(distance, 0.0) / farthest * 255), 255) for distance in away]


def _painted(rows: Rows, mask: Mask, tone: int) -> Rows:
    return [
        [tone if hidden else own for own, hidden in zip(row, line, strict=True)]
        for row, line in zip(rows, mask, strict=True)
    ]


def _rim(light: Rows, least_sides: int) -> Mask:
    """Return where the narrow rim of a scanner or a frame is; nowhere if fewer sides have one."""
    ground = _median(_border(_inside(light)))
    tones = [tone for row in light for tone in (min(row), max(row))]
    faint = CONTRAST * max(ground - min(tones), max(tones) - ground)
    differs = [[abs(tone - ground) > faint for tone in row] for row in light]
    turned = [differs]
    for _ in range(3):
        turned.append(_turned(turned[-1]))
    depths = [[_depth(column) for column in zip(*side, strict=True)] for side in turned]
    heights = [len(side) for side in turned]
    covered = [_is_covered(*both) for both in zip(depths, heights, strict=True)]
    line = _border([[int(pixel) for pixel in row] for row in _inside(differs)])  # type: ignore[arg-type]
    rim = [[False] * len(light[0]) for _ in light]
    if sum(covered) < least_sides or sum(line) / len(line) > BUSY:
        return rim
    for side in range(4):
        beside = covered[side - 1] or covered[(side + 1) % 4]
        if covered[side] and (all(covered) or not _is_touched(depths[side], heights[side], beside)):
            own = _rim_of_side(depths[side], heights[side])
            for _ in range(side):
                own = _turned_back(own)
            rim = [[a or b for a, b in zip(*two, strict=True)] for two in zip(rim, own, strict=True)]
    return rim


def _turned(rows: Mask) -> Mask:
    """Turn a quarter to the left: the right side becomes the top."""
    return [list(row) for row in zip(*rows, strict=True)][::-1]


def _turned_back(rows: Mask) -> Mask:
    return [list(row) for row in zip(*rows[::-1], strict=True)]


def _depth(column: tuple[bool, ...]) -> int:
    """Count the pixels from the top that differ from the ground."""
    return next((depth for depth, differs in enumerate(column) if not differs), len(column))


def _narrow(depths: list[int], height: int) -> list[bool]:
    return [0 < depth <= RIM * height for depth in depths]


def _inner(depths: list[int], height: int) -> slice:
    """Return the columns that no rim of the neighbouring sides reaches."""
    margin = floor(RIM * len(depths))
    return slice(margin, len(depths) - margin)


def _is_covered(depths: list[int], height: int) -> bool:
    narrow = _narrow(depths, height)[_inner(depths, height)]
    spanned = sum(depth > 0 for depth in depths) / len(depths)
    return bool(narrow) and spanned >= SPAN and sum(narrow) / len(narrow) >= FREE


def _is_touched(depths: list[int], height: int, has_rim_beside: bool) -> bool:
    """Tell whether ink inside the picture reaches the side."""
    seen = depths[_inner(depths, height)] if has_rim_beside else depths
    return any(depth > RIM * height for depth in seen)


def _rim_of_side(depths: list[int], height: int) -> Mask:
    """Return the rim at the top, of the usual depth where ink touches it, with its blurred edge."""
    narrow = _narrow(depths, height)
    usual = int(_median([depth for depth, is_rim in zip(depths, narrow, strict=True) if is_rim]))
    reach = [1 + (depth if is_rim else usual) for depth, is_rim in zip(depths, narrow, strict=True)]
    return [[row < depth for depth in reach] for row in range(height)]
