// The engine's other steps: norms, functions, pools, resizing, merges. Each writes its output y for its inputs.

// A factor and an offset for each channel: a batch norm in evaluation mode, a layer scale.
function scale(step, [x], y, machine) {
  const factors = machine.tensors[step.factor]
  const offsets = machine.tensors[step.offset]
  const plane = x.data.length / factors.length
  for (let channel = 0, at = 0; channel < factors.length; channel++)
    for (let end = at + plane; at < end; at++) y.data[at] = x.data[at] * factors[channel] + offsets[channel]
}

// Group norm, and layer norm as one group: zero mean and unit variance within each image.
function normalise(step, [x], y, machine) {
  const size = x.data.length / step.groups
  const plane = step.each === "channel" ? x.data.length / x.shape[0] : 1
  const [factors, offsets] = affine(step, machine)
  for (let group = 0; group < step.groups; group++) {
    const first = group * size
    const { mean, spread } = moments(x.data, first, 1, size, step.eps)
    for (let at = first; at < first + size; at++) {
      const place = Math.floor(at / plane)
      const normal = (x.data[at] - mean) / spread
      y.data[at] = factors ? normal * factors[place] + (offsets ? offsets[place] : 0) : normal
    }
  }
}

// Layer norm over the channels at each position.
function normalisePositions(step, [x], y, machine) {
  const channels = x.shape[0]
  const plane = x.data.length / channels
  const [factors, offsets] = affine(step, machine)
  for (let place = 0; place < plane; place++) {
    const { mean, spread } = moments(x.data, place, plane, channels, step.eps)
    for (let channel = 0, at = place; channel < channels; channel++, at += plane) {
      const normal = (x.data[at] - mean) / spread
      y.data[at] = factors ? normal * factors[channel] + (offsets ? offsets[channel] : 0) : normal
    }
  }
}

function affine(step, machine) {
  return [step.factor, step.offset].map((number) => (number === undefined ? null : machine.tensors[number]))
}

function moments(data, first, gap, size, eps) {
  let mean = 0
  for (let number = 0, at = first; number < size; number++, at += gap) mean += data[at]
  mean /= size
  let variance = 0
  for (let number = 0, at = first; number < size; number++, at += gap) variance += (data[at] - mean) ** 2
  return { mean, spread: Math.sqrt(variance / size + eps) }
}

const FUNCTIONS = {
  relu: (x) => (x > 0 ? x : 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  "leaky relu": (x) => (x > 0 ? x : 0.01 * x),
  gelu: (x) => (x * complement(-x / Math.SQRT2)) / 2,
  silu: (x) => x / (1 + Math.exp(-x)),
  "hard swish": (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  "hard sigmoid": (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
}

// 1 − erf(x), right to 1.2e-7 of itself: Chebyshev's fit in Numerical Recipes, 6.2.
function complement(x) {
  const t = 1 / (1 + Math.abs(x) / 2)
  let power = 0
  for (let at = 0; at < FIT.length; at++) power = power * t + FIT[at]
  const value = t * Math.exp(power - x * x)
  return x >= 0 ? value : 2 - value
}

const FIT = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223]

const CLAMPS = { relu: Infinity, relu6: 6 } // the most common ones, in a loop without calls

function applyFunction(step, [x], y) {
  const [from, to] = [x.data, y.data]
  const most = CLAMPS[step.name]
  if (most) {
    for (let at = 0; at < to.length; at++) to[at] = from[at] > 0 ? (from[at] < most ? from[at] : most) : 0
    return
  }
  const apply = FUNCTIONS[step.name]
  for (let at = 0; at < to.length; at++) to[at] = apply(from[at])
}

// The windows of a pool along one axis: where each begins and ends, its gap, and how many pixels its mean divides by.
function spans(step, axis, size, positions) {
  return Array.from({ length: positions }, (_, place) => {
    if (!step.kernel) {
      const begin = Math.floor((place * size) / positions)
      const end = Math.ceil(((place + 1) * size) / positions)
      return { begin, end, gap: 1, count: end - begin }
    }
    const [kernel, stride, padding, gap] = [step.kernel, step.stride, step.padding, step.dilation].map((each) => each[axis])
    const start = place * stride - padding
    const begin = start >= 0 ? start : start + Math.ceil(-start / gap) * gap
    const end = Math.min(start + gap * (kernel - 1) + 1, size)
    const count = step.counts_padding ? Math.min(start + kernel, size + padding) - start : end - begin
    return { begin, end, gap, count }
  })
}

function pool(step, [x], y) {
  const [channels, rows, columns] = x.shape
  step.rowSpans ??= spans(step, 0, rows, y.shape[1])
  step.columnSpans ??= spans(step, 1, columns, y.shape[2])
  const reduce = step.what === "mean" ? meanOf : largestOf
  let to = 0
  for (let channel = 0; channel < channels; channel++)
    for (const down of step.rowSpans)
      for (const across of step.columnSpans) y.data[to++] = reduce(x.data, channel * rows, columns, down, across)
}

function largestOf(data, firstRow, columns, down, across) {
  let largest = -Infinity
  for (let row = down.begin; row < down.end; row += down.gap)
    for (let column = across.begin; column < across.end; column += across.gap) {
      const value = data[(firstRow + row) * columns + column]
      if (value > largest) largest = value
    }
  return largest
}

function meanOf(data, firstRow, columns, down, across) {
  let sum = 0
  for (let row = down.begin; row < down.end; row++)
    for (let column = across.begin; column < across.end; column++) sum += data[(firstRow + row) * columns + column]
  return sum / (down.count * across.count)
}

// Linear interpolation to another size; where it shrinks, each new pixel is a weighted mean of all that it covers.
function resizeMaps(step, [x], y) {
  const [channels, rows, columns] = x.shape
  const [, high, wide] = y.shape
  step.across ??= shares(columns, wide, triangle, 1)
  step.down ??= shares(rows, high, triangle, 1)
  const between = new Float32Array(channels * rows * wide)
  for (let row = 0; row < channels * rows; row++)
    step.across.forEach(({ first, weights }, column) => {
      let sum = 0
      for (let at = 0; at < weights.length; at++) sum += weights[at] * x.data[row * columns + first + at]
      between[row * wide + column] = sum
    })
  for (let channel = 0; channel < channels; channel++)
    step.down.forEach(({ first, weights }, row) => {
      for (let column = 0; column < wide; column++) {
        let sum = 0
        for (let at = 0; at < weights.length; at++) sum += weights[at] * between[(channel * rows + first + at) * wide + column]
        y.data[(channel * high + row) * wide + column] = sum
      }
    })
}

const triangle = (x) => Math.max(0, 1 - Math.abs(x))
const box = (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)

// What each of `after` new pixels takes of `before` old ones: the first one, and the weights from there on. `reach` is
// how far the filter is above zero, in pixels of the new size where it shrinks.
function shares(before, after, filter, reach) {
  const factor = before / after
  const width = Math.max(1, factor)
  return Array.from({ length: after }, (_, place) => {
    const centre = (place + 0.5) * factor
    const first = Math.max(0, Math.trunc(centre - reach * width + 0.5))
    const end = Math.min(before, Math.trunc(centre + reach * width + 0.5))
    const raw = Array.from({ length: end - first }, (_, at) => filter((at + first - centre + 0.5) * (1 / width)))
    const total = raw.reduce((sum, weight) => sum + weight, 0)
    return { first, weights: raw.map((weight) => (total ? weight * (1 / total) : weight)) }
  })
}

// Softmax over the channels at each position, or over features.
function softmaxChannels(step, [x], y) {
  const channels = x.shape[0]
  const plane = x.data.length / channels
  for (let place = 0; place < plane; place++) {
    const column = Array.from({ length: channels }, (_, channel) => x.data[channel * plane + place])
    softmax(column).forEach((share, channel) => { y.data[channel * plane + place] = share })
  }
}

function softmax(logits) {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity)
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

function sum(step, [x, other], y) {
  for (let at = 0; at < y.data.length; at++) y.data[at] = x.data[at] + other.data[at]
}

function product(step, [x, gate], y) {
  const plane = x.data.length / gate.data.length
  for (let channel = 0, at = 0; channel < gate.data.length; channel++)
    for (let end = at + plane; at < end; at++) y.data[at] = x.data[at] * gate.data[channel]
}

function join(step, inputs, y) {
  let at = 0
  for (const { data } of inputs) {
    y.data.set(data, at)
    at += data.length
  }
}

const STEPS = {
  convolution,
  depthwise,
  linear,
  scale,
  normalise,
  "normalise each position": normalisePositions,
  function: applyFunction,
  pool,
  resize: resizeMaps,
  softmax: softmaxChannels,
  sum,
  product,
  join,
}
