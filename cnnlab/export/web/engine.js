// Runs a network's program: a list of steps, each a small function, over numbers in one block of memory.
// A value is { at, shape, data }: its place in the memory, (channels, rows, columns) or (features), its numbers there.
// It knows nothing of the page: openNetwork(program, tensors, kernel) gives { run, value }.
const TILE = 4 // rows of weights that are multiplied at once
const LANES = 8 // columns
const BLOCK = 2048 // windows whose numbers are laid out at once

// Opens a program with its tensors (a Float32Array each). kernel holds the bytes of the matrix product in WebAssembly;
// without them, or where the browser knows no vectors of numbers, plain JavaScript multiplies.
async function openNetwork(program, tensors, kernel = null) {
  const steps = program.steps.map((step) => ({ ...step, packed: packedWeights(step, program, tensors) }))
  const frames = Math.max(0, ...steps.map((step) => frameSize(step, program)))
  const windows = Math.max(0, ...steps.map((step) => windowsSize(step, program)))
  const biases = Math.max(1, ...program.shapes.map((shape) => shape[0]))
  const weights = steps.reduce((total, { packed }) => total + (packed ? aligned(packed.length) : 0), 0)
  const machine = await machineOf(program.size + frames + windows + 2 * biases + weights + 64, kernel)
  machine.frame = program.size
  machine.windows = machine.frame + frames
  machine.bias = machine.windows + windows
  machine.tensors = tensors
  let at = machine.bias + aligned(biases)
  for (const step of steps) {
    if (!step.packed) continue
    step.weightAt = at
    machine.numbers.set(step.packed, at)
    at += aligned(step.packed.length)
    step.packed = null
  }
  const values = program.shapes.map((shape, number) => valueAt(machine, program.places[number], shape))
  return { run: (input) => forward(steps, values, machine, input, program.output), value: (number) => values[number], isFast: machine.isFast }
}

// Passes an input (channels·rows·columns numbers) through all steps; returns the logits.
function forward(steps, values, machine, input, output) {
  values[0].data.set(input)
  for (const step of steps) STEPS[step.do](step, step.from.map((number) => values[number]), values[step.to], machine)
  return Float32Array.from(values[output].data)
}

// The network's memory, and the matrix product on it.
async function machineOf(size, kernel) {
  const assembled = kernel && (await assembledOn(size, kernel))
  if (assembled) {
    const { multiply, memory } = assembled
    const numbers = new Float32Array(memory.buffer)
    const fast = (a, b, c, bias, m, k, n, ldb, ldc) =>
      m < TILE || n < LANES
        ? multiplyPlainly(numbers, a, b, c, bias, m, k, n, ldb, ldc)
        : multiply(a * 4, b * 4, c * 4, bias * 4, m, k, n, ldb * 4, ldc * 4)
    return { numbers, multiply: fast, isFast: true }
  }
  const numbers = new Float32Array(size)
  return { numbers, multiply: (...sizes) => multiplyPlainly(numbers, ...sizes), isFast: false }
}

// Null where the browser has no WebAssembly, knows no vectors of numbers, or forbids it.
async function assembledOn(size, kernel) {
  try {
    if (!WebAssembly.validate(kernel)) return null
    const memory = new WebAssembly.Memory({ initial: Math.ceil((size * 4) / 65536) })
    const { instance } = await WebAssembly.instantiate(kernel, { from: { memory } })
    return { memory, multiply: instance.exports.multiply }
  } catch {
    return null
  }
}

function valueAt(machine, at, shape) {
  return { at, shape, data: machine.numbers.subarray(at, at + count(shape)) }
}

const count = (shape) => shape.reduce((product, length) => product * length, 1)
const aligned = (size) => Math.ceil(size / 4) * 4

// C = A·B + bias: A (m, k) in tiles of four rows, B (k, n) with rows ldb apart, C (m, n) with rows ldc apart.
function multiplyPlainly(numbers, a, b, c, bias, m, k, n, ldb, ldc) {
  for (let tile = 0; tile * TILE < m; tile++) {
    const first = firstRow(tile, m)
    const rows = Math.min(TILE, m - first)
    for (let row = first; row < first + rows; row++) numbers.fill(numbers[bias + row], c + row * ldc, c + row * ldc + n)
    const multiply = rows === TILE ? multiplyTile : multiplyRows
    multiply(numbers, a + tile * k * TILE, b, c + first * ldc, rows, k, n, ldb, ldc)
  }
}

function multiplyTile(numbers, a, b, c, rows, k, n, ldb, ldc) {
  for (let inner = 0; inner < k; inner++, a += TILE, b += ldb) {
    const [first, second, third, fourth] = [numbers[a], numbers[a + 1], numbers[a + 2], numbers[a + 3]]
    for (let column = 0, at = c; column < n; column++, at++) {
      const value = numbers[b + column]
      numbers[at] += first * value
      numbers[at + ldc] += second * value
      numbers[at + 2 * ldc] += third * value
      numbers[at + 3 * ldc] += fourth * value
    }
  }
}

function multiplyRows(numbers, a, b, c, rows, k, n, ldb, ldc) {
  for (let row = 0; row < rows; row++)
    for (let inner = 0; inner < k; inner++) {
      const weight = numbers[a + inner * TILE + row]
      for (let column = 0; column < n; column++) numbers[c + row * ldc + column] += weight * numbers[b + inner * ldb + column]
    }
}

// The last tile moves back to fit, unless there is only one.
const firstRow = (tile, rows) => Math.max(0, Math.min(tile * TILE, rows - TILE))

// A convolution's weights as the matrix product takes them, group by group: tiles of four rows, (rows / 4, k, 4).
function packedWeights(step, program, tensors) {
  if (step.do !== "convolution") return null
  const rows = program.shapes[step.to][0] / step.groups
  const weights = tensors[step.weight]
  const k = weights.length / program.shapes[step.to][0]
  const tiles = Math.ceil(rows / TILE)
  const packed = new Float32Array(step.groups * tiles * k * TILE)
  for (let group = 0; group < step.groups; group++)
    for (let tile = 0; tile < tiles; tile++)
      for (let lane = 0; lane < Math.min(TILE, rows); lane++) {
        const row = group * rows + firstRow(tile, rows) + lane
        for (let inner = 0; inner < k; inner++)
          packed[((group * tiles + tile) * k + inner) * TILE + lane] = weights[row * k + inner]
      }
  return packed
}

const isFramed = (step) => Boolean(step.sides?.some((side) => side > 0))

function frameSize(step, program) {
  if (!isFramed(step)) return 0
  const [channels, rows, columns] = program.shapes[step.from[0]]
  const [left, right, top, bottom] = step.sides
  return aligned(channels * (rows + top + bottom) * (columns + left + right))
}

function windowsSize(step, program) {
  if (step.do !== "convolution") return 0
  const [, rows, columns] = program.shapes[step.to]
  if (isPointwise(step) && rows * columns >= LANES) return 0
  const inside = program.shapes[step.from[0]][0] / step.groups
  const positions = Math.max(LANES, Math.min(rows, rowsAtOnce(columns)) * columns)
  return aligned(inside * step.kernel[0] * step.kernel[1] * positions) + aligned(program.shapes[step.to][0] * LANES)
}

const rowsAtOnce = (columns) => Math.max(1, Math.floor(BLOCK / columns))
const isPointwise = (step) => step.kernel[0] * step.kernel[1] * step.stride[0] * step.stride[1] === 1

// Where the pixels of a framed axis come from: an index of the axis, or −1 for a zero.
function framedIndices(size, before, after, border) {
  return Array.from({ length: size + before + after }, (_, place) => {
    const index = place - before
    if (index >= 0 && index < size) return index
    if (border === "zeros") return -1
    if (border === "replicate") return index < 0 ? 0 : size - 1
    if (border === "circular") return (index + size) % size
    return index < 0 ? -index : 2 * (size - 1) - index // reflect
  })
}

// The input with its padding around it; the input itself where there is none.
function framed(step, x, machine) {
  if (!isFramed(step)) return x
  const [channels, rows, columns] = x.shape
  const [left, right, top, bottom] = step.sides
  step.rowsFrom ??= framedIndices(rows, top, bottom, step.border)
  step.columnsFrom ??= framedIndices(columns, left, right, step.border)
  const shape = [channels, step.rowsFrom.length, step.columnsFrom.length]
  const frame = valueAt(machine, machine.frame, shape)
  let to = 0
  for (let channel = 0; channel < channels; channel++)
    for (const row of step.rowsFrom) {
      const from = (channel * rows + row) * columns
      for (const column of step.columnsFrom) frame.data[to++] = row < 0 || column < 0 ? 0 : x.data[from + column]
    }
  return frame
}

// A convolution is a matrix product: weights (filters, numbers of a window) times windows (those numbers, positions).
function convolution(step, [input], y, machine) {
  const x = framed(step, input, machine)
  const [filters, rows, columns] = y.shape
  const part = {
    filters: filters / step.groups,
    channels: x.shape[0] / step.groups,
    positions: rows * columns,
    numbers: (x.shape[0] / step.groups) * step.kernel[0] * step.kernel[1],
  }
  const size = Math.ceil(part.filters / TILE) * TILE * part.numbers
  for (let group = 0; group < step.groups; group++) {
    setBias(step, machine, group * part.filters, part.filters)
    const weights = step.weightAt + group * size
    const out = y.at + group * part.filters * part.positions
    if (part.positions < LANES) convolveFew(step, x, group, part, weights, out, columns, machine)
    else if (isPointwise(step)) {
      const from = x.at + group * part.channels * part.positions
      machine.multiply(weights, from, out, machine.bias, part.filters, part.numbers, part.positions, part.positions, part.positions)
    } else convolveBlocks(step, x, group, part, weights, out, columns, machine)
  }
}

function convolveBlocks(step, x, group, part, weights, out, columns, machine) {
  const rows = part.positions / columns
  for (let first = 0; first < rows; first += rowsAtOnce(columns)) {
    const some = Math.min(rowsAtOnce(columns), rows - first)
    const positions = some * columns
    layOut(step, x, group * part.channels, part.channels, [first, some, columns], positions, machine)
    machine.multiply(weights, machine.windows, out + first * columns, machine.bias, part.filters, part.numbers, positions, positions, part.positions)
  }
}

// With fewer positions than the kernel takes, it computes some more that nobody reads.
function convolveFew(step, x, group, part, weights, out, columns, machine) {
  const { numbers, windows } = machine
  const result = windows + part.numbers * LANES
  layOut(step, x, group * part.channels, part.channels, [0, part.positions / columns, columns], LANES, machine)
  machine.multiply(weights, windows, result, machine.bias, part.filters, part.numbers, LANES, LANES, LANES)
  for (let filter = 0; filter < part.filters; filter++)
    for (let position = 0; position < part.positions; position++)
      numbers[out + filter * part.positions + position] = numbers[result + filter * LANES + position]
}

function setBias(step, machine, first, length) {
  if (step.bias === undefined) machine.numbers.fill(0, machine.bias, machine.bias + length)
  else machine.numbers.set(machine.tensors[step.bias].subarray(first, first + length), machine.bias)
}

// Lays out the numbers of each window in a column (im2col), for some rows of positions; a number's next is gap apart.
function layOut(step, x, firstChannel, channels, [first, some, columns], gap, machine) {
  const [[high, wide], [down, right], [rowGap, columnGap]] = [step.kernel, step.stride, step.dilation]
  const [, height, width] = x.shape
  const { numbers } = machine
  let start = machine.windows
  for (let channel = firstChannel; channel < firstChannel + channels; channel++)
    for (let ky = 0; ky < high; ky++)
      for (let kx = 0; kx < wide; kx++, start += gap)
        for (let row = first, to = start; row < first + some; row++) {
          let from = x.at + (channel * height + row * down + ky * rowGap) * width + kx * columnGap
          for (let column = 0; column < columns; column++, from += right) numbers[to++] = numbers[from]
        }
}

// A convolution of each channel with a filter of its own, four positions of a row at once.
function depthwise(step, [input], y, machine) {
  const x = framed(step, input, machine)
  const [high, wide] = step.kernel
  const [channels, rows, columns] = y.shape
  const [, height, width] = x.shape
  const weights = machine.tensors[step.weight]
  const biases = step.bias === undefined ? null : machine.tensors[step.bias]
  for (let channel = 0; channel < channels; channel++) {
    const filter = weights.subarray(channel * high * wide, (channel + 1) * high * wide)
    for (let row = 0; row < rows; row++) {
      const to = y.at + (channel * rows + row) * columns
      const from = x.at + (channel * height + row * step.stride[0]) * width
      for (let column = 0; column < columns; column += FOUR) {
        const first = Math.max(0, Math.min(column, columns - FOUR))
        filterFour(machine.numbers, filter, biases ? biases[channel] : 0, from + first * step.stride[1], to + first, step, width, columns)
      }
    }
  }
}

const FOUR = 4

// Of fewer than four positions the others are computed as well, but not written.
function filterFour(numbers, filter, bias, from, to, { kernel, stride, dilation }, width, columns) {
  const [right, down, across] = [stride[1], dilation[0] * width, dilation[1]]
  let [first, second, third, fourth] = [bias, bias, bias, bias]
  for (let ky = 0, tap = 0; ky < kernel[0]; ky++)
    for (let kx = 0, at = from + ky * down; kx < kernel[1]; kx++, tap++, at += across) {
      const weight = filter[tap]
      first += weight * numbers[at]
      second += weight * numbers[at + right]
      third += weight * numbers[at + 2 * right]
      fourth += weight * numbers[at + 3 * right]
    }
  numbers[to] = first
  if (columns > 1) numbers[to + 1] = second
  if (columns > 2) numbers[to + 2] = third
  if (columns > 3) numbers[to + 3] = fourth
}

function linear(step, [x], y, machine) {
  const weights = machine.tensors[step.weight]
  const bias = step.bias === undefined ? null : machine.tensors[step.bias]
  const inputs = x.data.length
  for (let unit = 0; unit < y.data.length; unit++) {
    let total = bias ? bias[unit] : 0
    for (let input = 0, at = unit * inputs; input < inputs; input++, at++) total += weights[at] * x.data[input]
    y.data[unit] = total
  }
}
