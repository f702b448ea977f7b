// Reads what packing.py wrote: base64 of one compressed stream, in which tensors lie one after another.

async function unpacked(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function bytesOf(base64) {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}

// The tensors of the given forms [numbers, rows, columns], from a place in the bytes on; and where they end.
function readTensors(bytes, forms, start = 0) {
  let at = start
  const tensors = forms.map(([numbers, rows, columns]) => {
    const [tensor, size] = READERS[numbers](bytes.subarray(at), rows, columns)
    at += size
    return tensor
  })
  return { tensors, end: at }
}

let HALVES = null // all numbers of 16 bits, by their bits

const READERS = {
  uint8: (bytes, rows, columns) => [bytes.slice(0, rows * columns), rows * columns],
  float32: (bytes, rows, columns) => [new Float32Array(woven(bytes, rows * columns, 4).buffer), rows * columns * 4],
  float16: (bytes, rows, columns) => {
    const halves = new Uint16Array(woven(bytes, rows * columns, 2).buffer)
    HALVES ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits))
    const numbers = new Float32Array(halves.length)
    for (let at = 0; at < halves.length; at++) numbers[at] = HALVES[halves[at]]
    return [numbers, rows * columns * 2]
  },
  int8: (bytes, rows, columns) => {
    const scales = new Float32Array(bytes.slice(0, rows * 4).buffer)
    const steps = new Int8Array(bytes.slice(rows * 4, rows * (4 + columns)).buffer)
    const numbers = new Float32Array(steps.length)
    for (let row = 0, at = 0; row < rows; row++)
      for (let end = at + columns; at < end; at++) numbers[at] = steps[at] * scales[row]
    return [numbers, rows * (4 + columns)]
  },
}

// All first bytes of the numbers come first, then all second ones: here each number gets its bytes back.
function woven(bytes, length, width) {
  const whole = new Uint8Array(length * width)
  for (let plane = 0; plane < width; plane++)
    for (let number = 0; number < length; number++) whole[number * width + plane] = bytes[plane * length + number]
  return whole
}

// A number of 16 bits: a sign, five bits of exponent, ten of fraction.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return exponent ? sign * (1 + fraction / 1024) * 2 ** (exponent - 15) : sign * fraction * 2 ** -24
}
