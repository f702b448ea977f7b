// Makes ink look like MNIST: cropped, strokes of its mean thickness, scaled into a box of 20/28 of the image, centred
// by mass. Pixels are computed as Pillow, NumPy and SciPy do in the app. Ink is { width, height, data }, 255 is full.
const BOX = 20 / 28 // the box that ink is scaled into, as a share of the image
const FAINT = 24 // ink up to this counts as background
const FINE = 8 // fine pixels for one of MNIST's: thickness is measured on them
const HALF = 127 // ink above this is ink, not the edge of a stroke
const SHARP = 2 // times the box: drawings at least so large get an even thickness
const THICKNESS = 2.4 // MNIST's pixels
const BLOT = 6.5 // MNIST's pixels: no pen is so thick
const NOTHING = "there is nothing drawn"
const BLANK = "the picture is blank"

class DrawingError extends Error {}

// Prepares ink for a network of height × width pixels: { data, thickness, suspicion }.
function prepareInk(ink, [height, width]) {
  const cropped = cut(ink, extent(ink))
  const distances = borderDistance(cropped)
  const thickness = strokeThickness(distances)
  const isSharp = Math.max(cropped.width, cropped.height) >= SHARP * BOX * 28
  // The border moves by half of the missing thickness, inwards if the strokes are too thick.
  const even = thickness && isSharp ? within(distances, (FINE * (THICKNESS - thickness)) / 2) : cropped
  const box = fitted(cut(even, extent(even)), BOX * Math.min(height, width))
  const [top, left] = centring(box, [height, width])
  const data = new Uint8Array(height * width)
  for (let row = 0; row < box.height; row++)
    data.set(box.data.subarray(row * box.width, (row + 1) * box.width), (top + row) * width + left)
  return { data, thickness, suspicion: thickness > BLOT ? "more a blot than strokes" : "" }
}

function extent({ width, height, data }) {
  let [top, left, bottom, right] = [height, width, 0, 0]
  for (let row = 0, at = 0; row < height; row++)
    for (let column = 0; column < width; column++, at++) {
      if (data[at] <= FAINT) continue
      if (row < top) top = row
      bottom = row + 1
      if (column < left) left = column
      if (column >= right) right = column + 1
    }
  if (!bottom) throw new DrawingError(NOTHING)
  return { top, left, bottom, right }
}

function cut({ width, data }, { top, left, bottom, right }) {
  const part = { width: right - left, height: bottom - top, data: new Uint8Array((right - left) * (bottom - top)) }
  for (let row = 0; row < part.height; row++) {
    const from = (top + row) * width + left
    part.data.set(data.subarray(from, from + part.width), row * part.width)
  }
  return part
}

// Ink scaled with its proportions so that the longer side has `side` pixels.
function fitted(ink, side) {
  const scale = side / Math.max(ink.width, ink.height)
  const [width, height] = [ink.width, ink.height].map((length) => Math.max(1, roundEven(length * scale)))
  return scale < 1 ? resized(ink, width, height, box, 0.5) : resized(ink, width, height, triangle, 1)
}

const BITS = 22 // of the fraction of a weight

// Pixels of one channel at another size: along rows, then along columns, each rounded to 8 bits. Pillow takes the
// columns first where that leaves far fewer pixels.
function resized(image, width, height, filter, reach) {
  const across = (from) => (width === from.width ? from : rowsResized(from, width, filter, reach))
  const down = (from) => (height === from.height ? from : turned(rowsResized(turned(from), height, filter, reach)))
  const isTall = height < image.height && 2 * (image.width - width) < image.height - height
  return isTall ? across(down(image)) : down(across(image))
}

function rowsResized({ width, height, data }, wide, filter, reach) {
  const out = new Uint8Array(wide * height)
  const takes = shares(width, wide, filter, reach).map(({ first, weights }) => ({
    first,
    fixed: Int32Array.from(weights, (weight) => Math.trunc(weight * 2 ** BITS + 0.5)), // none is negative
  }))
  for (let row = 0, to = 0; row < height; row++)
    for (const { first, fixed } of takes) {
      let sum = 2 ** (BITS - 1)
      for (let at = 0, from = row * width + first; at < fixed.length; at++, from++) sum += fixed[at] * data[from]
      out[to++] = sum >> BITS // 0…255, as the weights' sum is 1
    }
  return { width: wide, height, data: out }
}

function turned({ width, height, data }) {
  const out = new Uint8Array(data.length)
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) out[column * height + row] = data[row * width + column]
  return { width: height, height: width, data: out }
}

// Each fine pixel's distance to the ink's border, in fine pixels, negative outside, with a margin around.
function borderDistance(cropped) {
  const fine = fitted(cropped, FINE * BOX * 28)
  const margin = FINE * 4
  const [width, height] = [fine.width + 2 * margin, fine.height + 2 * margin]
  const isInk = new Uint8Array(width * height)
  for (let row = 0; row < fine.height; row++)
    for (let column = 0; column < fine.width; column++)
      if (fine.data[row * fine.width + column] > HALF) isInk[(row + margin) * width + column + margin] = 1
  if (!isInk.includes(1)) return { width, height, data: new Float64Array(width * height).fill(-Infinity) }
  const [inside, outside] = [squaredDistances(isInk, width, height, 0), squaredDistances(isInk, width, height, 1)]
  for (let at = 0; at < isInk.length; at++) inside[at] = isInk[at] ? Math.sqrt(inside[at]) : -Math.sqrt(outside[at])
  return { width, height, data: inside }
}

// The squared distance of each pixel to the nearest one that is `to`: along columns first, then the lower envelope of
// the parabolas along each row (Felzenszwalb and Huttenlocher 2012).
function squaredDistances(mask, width, height, to) {
  const far = width + height
  const squares = new Float64Array(width * height)
  for (let column = 0; column < width; column++) {
    let last = far
    for (let row = 0, at = column; row < height; row++, at += width) {
      last = mask[at] === to ? 0 : last + 1
      squares[at] = last
    }
    last = far
    for (let row = height - 1, at = row * width + column; row >= 0; row--, at -= width) {
      last = mask[at] === to ? 0 : last + 1
      squares[at] = Math.min(squares[at], last) ** 2
    }
  }
  const work = { heights: new Float64Array(width), centres: new Int32Array(width), starts: new Float64Array(width) }
  for (let row = 0; row < height; row++) envelope(squares, row * width, width, work)
  return squares
}

function envelope(squares, first, length, { heights, centres, starts }) {
  let last = 0
  for (let x = 0; x < length; x++) heights[x] = squares[first + x]
  centres[0] = 0
  starts[0] = -Infinity
  for (let x = 1; x < length; x++) {
    let start = meeting(heights, x, centres[last])
    while (start <= starts[last]) start = meeting(heights, x, centres[--last])
    centres[++last] = x
    starts[last] = start
  }
  for (let x = 0, at = 0; x < length; x++) {
    while (at < last && starts[at + 1] < x) at++
    squares[first + x] = (x - centres[at]) ** 2 + heights[centres[at]]
  }
}

// Where the parabola of a pixel comes below that of one to its left.
function meeting(heights, x, left) {
  return (heights[x] + x * x - heights[left] - left * left) / (2 * (x - left))
}

// The strokes' thickness by the ridges along their middles, in MNIST's pixels; 0 if there are none.
function strokeThickness({ width, height, data }) {
  const ridge = []
  for (let row = 1; row < height - 1; row++)
    for (let at = row * width + 1; at < (row + 1) * width - 1; at++)
      if (data[at] > 0 && isPeak(data, at, width)) ridge.push(data[at])
  return ridge.length ? (2 * median(ridge)) / FINE : 0
}

function isPeak(data, at, width) {
  for (let row = at - width; row <= at + width; row += width)
    for (let beside = row - 1; beside <= row + 1; beside++) if (data[beside] > data[at]) return false
  return true
}

function median(values) {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

// The ink inside a border moved outwards by so many fine pixels.
function within({ width, height, data }, outwards) {
  const ink = new Uint8Array(data.length)
  for (let at = 0; at < data.length; at++) if (data[at] > -outwards) ink[at] = 255
  return { width, height, data: ink }
}

// Top and left that put the centre of mass in the middle of an image, if there is room.
function centring({ width, height, data }, size) {
  let [mass, down, across] = [0, 0, 0]
  data.forEach((ink, at) => {
    mass += ink
    down += ink * Math.floor(at / width)
    across += ink * (at % width)
  })
  return [down, across].map((moment, axis) => {
    const room = size[axis] - [height, width][axis]
    return Math.min(Math.max(roundEven((size[axis] - 1) / 2 - moment / mass), 0), room)
  })
}
