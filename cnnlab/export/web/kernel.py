"""The matrix product as WebAssembly: a few hundred bytes, assembled here instruction by instruction.

``multiply(a, b, c, bias, m, k, n, ldb, ldc)`` computes C = A·B + bias in 32-bit floats, where a, b, c and bias are byte
addresses, A is (m, k), B is (k, n) with rows of ``ldb`` bytes and C is (m, n) with rows of ``ldc`` bytes. A lies packed
in tiles of four rows, (m/4, k, 4). m is at least 4 and n at least 8: the last tile moves back to fit, so that it
computes some numbers twice instead of writing past the end.

A tile of C, 4 × 8, stays in eight registers of four numbers each while the loop over k adds to it.
"""

from __future__ import annotations

from collections.abc import Sequence

TILE_ROWS, TILE_COLUMNS = 4, 8

_I32, _V128, _NONE = 0x7F, 0x7B, 0x40  # types
_PARAMETERS = ("a", "b", "c", "bias", "m", "k", "n", "ldb", "ldc")
_INTEGERS = ("row", "column", "weights", "values", "left", "out")
_SUMS = tuple(f"sum{row}{half}" for row in range(TILE_ROWS) for half in range(2))
_VECTORS = (*_SUMS, "low", "high", "weight")
_LOCALS = {name: number for number, name in enumerate((*_PARAMETERS, *_INTEGERS, *_VECTORS))}


def kernel() -> bytes:
    """Assemble the module, which takes its memory from the import ``from.memory`` and exports ``multiply``."""
    signature = [0x60, *_vector([[_I32]] * len(_PARAMETERS)), 0]
    memory = [*_name("from"), *_name("memory"), 0x02, 0x00, *_unsigned(1)]
    locals_ = _vector([[*_unsigned(len(_INTEGERS)), _I32], [*_unsigned(len(_VECTORS)), _V128]])
    body = [*locals_, *_columns(), 0x0B]
    sections = {
        1: _vector([signature]),
        2: _vector([memory]),
        3: _vector([_unsigned(0)]),
        7: _vector([[*_name("multiply"), 0x00, *_unsigned(0)]]),
        10: _vector([[*_unsigned(len(body)), *body]]),
    }
    parts = [[number, *_unsigned(len(content)), *content] for number, content in sections.items()]
    return b"\0asm\1\0\0\0" + bytes(byte for part in parts for byte in part)


def _columns() -> list[int]:
    """column = 0; repeat { all rows; column += 8 } while column < n."""
    return [*_put("column", _constant(0)), *_repeat(_rows(), *_advance("column", TILE_COLUMNS, "n"))]


def _rows() -> list[int]:
    """row = 0; weights = a; repeat { one tile; row += 4 } while row < m; the weights follow each other."""
    start = [*_put("row", _constant(0)), *_put("weights", _get("a"))]
    return [*start, *_repeat(_tile(), *_advance("row", TILE_ROWS, "m"))]


def _tile() -> list[int]:
    """Begin with the biases of four rows, add k products, store 4 × 8 numbers."""
    bias = _add(_get("bias"), _times(_get("row"), _constant(4)))
    starts = [
        code
        for row in range(TILE_ROWS)
        for half in range(2)
        for code in _put(f"sum{row}{half}", [*bias, *_splat(4 * row)])
    ]
    return [
        *starts,
        *_put("values", _add(_get("b"), _times(_get("column"), _constant(4)))),
        *_put("left", _get("k")),
        *_repeat(_products(), _step("left", _constant(-1)), _get("left")),
        *_stores(),
    ]


def _products() -> list[int]:
    """Add four weights, each times eight values, to the sums; go on to the next weights and values."""
    code = [
        *_put("low", [*_get("values"), *_load(0)]),
        *_put("high", [*_get("values"), *_load(16)]),
    ]
    for row in range(TILE_ROWS):
        code += _put("weight", [*_get("weights"), *_splat(4 * row)])
        for half, values in enumerate(("low", "high")):
            product = [*_get("weight"), *_get(values), 0xFD, 0xE6, 0x01]  # f32x4.mul
            code += _put(f"sum{row}{half}", [*_get(f"sum{row}{half}"), *product, 0xFD, 0xE4, 0x01])  # f32x4.add
    return [*code, *_step("weights", _constant(4 * TILE_ROWS)), *_step("values", _get("ldb"))]


def _stores() -> list[int]:
    at = _add(_times(_get("row"), _get("ldc")), _times(_get("column"), _constant(4)))
    code = _put("out", _add(_get("c"), at))
    for row in range(TILE_ROWS):
        for half in range(2):
            code += [*_get("out"), *_get(f"sum{row}{half}"), 0xFD, 0x0B, 0x02, *_unsigned(16 * half)]  # v128.store
        code += _step("out", _get("ldc"))
    return code


def _advance(name: str, step: int, end: str) -> tuple[list[int], list[int]]:
    """Step on, back to ``end`` − ``step`` where a whole tile would not fit; return the code, and whether to repeat."""
    moved = _step(name, _constant(step))
    last = [*_get(end), *_constant(step), 0x6B]  # i32.sub
    # The condition is taken before the move back: select gives the first where the third is not zero.
    repeat = [*_get(name), *_get(end), 0x48]  # i32.lt_s
    is_whole = [*_get(name), *last, 0x4C]  # i32.le_s
    return moved, [*repeat, *_put(name, [*_get(name), *last, *is_whole, 0x1B])]


def _repeat(body: list[int], step: list[int], condition: list[int]) -> list[int]:
    return [0x03, _NONE, *body, *step, *condition, 0x0D, 0x00, 0x0B]  # loop … br_if 0, end


def _get(name: str) -> list[int]:
    return [0x20, *_unsigned(_LOCALS[name])]


def _put(name: str, code: list[int]) -> list[int]:
    return [*code, 0x21, *_unsigned(_LOCALS[name])]


def _step(name: str, code: list[int]) -> list[int]:
    return _put(name, _add(_get(name), code))


def _add(first: list[int], second: list[int]) -> list[int]:
    return [*first, *second, 0x6A]  # i32.add


def _times(first: list[int], second: list[int]) -> list[int]:
    return [*first, *second, 0x6C]  # i32.mul


def _load(offset: int) -> list[int]:
    return [0xFD, 0x00, 0x02, *_unsigned(offset)]  # v128.load of four numbers


def _splat(offset: int) -> list[int]:
    return [0xFD, 0x09, 0x02, *_unsigned(offset)]  # v128.load32_splat: one number, four times


def _constant(value: int) -> list[int]:
    """i32.const of −64…63."""
    return [0x41, value & 0x7F]


def _unsigned(value: int) -> list[int]:
    """LEB128: seven bits a byte, the lowest first, the eighth bit set where more follow."""
    low, rest = value & 0x7F, value >> 7
    return [low | 0x80, *_unsigned(rest)] if rest else [low]


def _vector(items: Sequence[list[int]]) -> list[int]:
    return [*_unsigned(len(items)), *(byte for item in items for byte in item)]


def _name(text: str) -> list[int]:
    return [*_unsigned(len(text)), *text.encode()]
