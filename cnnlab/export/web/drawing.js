// Pen strokes as ink on a canvas: lines and discs with the very pixels that Pillow sets, so that the network sees what
// it sees in the app. Strokes are lists of [x, y], x to the right and y down, in any unit.
const CANVAS = 280 // pixels, width and height
const DRAWN_HEIGHT = 180 // of them: the longer side of the pen's path
const PEN = 24 // the pen's width on the canvas
const USUAL_PEN = PEN / DRAWN_HEIGHT // of the longer side of a drawing whose pen is unknown
const THINNEST = 2 // pixels of the canvas
const OVERSAMPLING = 2 // Pillow draws without smoothing

// The ink (280 × 280, 255 is full) of strokes by a round pen; without `pen`, its width is in proportion to the drawing.
function strokeInk(strokes, pen = usualPen(strokes)) {
  const side = CANVAS * OVERSAMPLING
  const sheet = { width: side, height: side, data: new Uint8Array(side * side) }
  const { paths, width } = placedPaths(strokes, pen)
  for (const path of paths) {
    for (let at = 1; at < path.length; at++) drawLine(sheet, path[at - 1], path[at], roundEven(width))
    for (const [x, y] of path) drawDisc(sheet, x - width / 2, y - width / 2, x + width / 2, y + width / 2)
  }
  return halved(sheet)
}

function usualPen(strokes) {
  const points = strokes.flat()
  const spans = [0, 1].map((axis) => extreme(points, axis, Math.max) * USUAL_PEN - extreme(points, axis, Math.min) * USUAL_PEN)
  return Math.max(...spans) || USUAL_PEN
}

const extreme = (points, axis, choose) => points.reduce((found, point) => choose(found, point[axis]), points[0][axis])

// The strokes in the middle of the canvas, their longer side DRAWN_HEIGHT, and the pen's width in its pixels.
function placedPaths(strokes, pen) {
  const points = strokes.flat()
  const largest = points.reduce((most, [x, y]) => Math.max(most, Math.abs(x), Math.abs(y)), pen)
  const unit = 2 ** -exponentOf(largest) // a power of two is exact and keeps differences of huge numbers finite
  const low = [0, 1].map((axis) => extreme(points, axis, Math.min) * unit)
  const spans = [0, 1].map((axis) => extreme(points, axis, Math.max) * unit - low[axis])
  const ownPen = pen * unit
  // A dot has no height: with its pen it becomes as large as another drawing.
  const scale = DRAWN_HEIGHT * OVERSAMPLING * Math.min(1 / Math.max(...spans, 1e-9), (1 + USUAL_PEN) / ownPen)
  const place = (value, axis) => (value * unit - (low[axis] + spans[axis] / 2)) * scale + 0.5 * CANVAS * OVERSAMPLING
  const paths = strokes.map((stroke) => stroke.map(([x, y]) => [place(x, 0), place(y, 1)]))
  return { paths, width: Math.max(ownPen * scale, THINNEST * OVERSAMPLING) }
}

// The power of two above a number: 2^(e − 1) ≤ x < 2^e.
function exponentOf(x) {
  let exponent = Math.floor(Math.log2(x)) + 1
  if (2 ** exponent <= x) exponent++
  if (2 ** (exponent - 1) > x) exponent--
  return exponent
}

function fillRow(sheet, left, y, right) {
  if (y < 0 || y >= sheet.height || left >= sheet.width || right < 0) return
  const from = Math.max(left, 0)
  const to = Math.min(right, sheet.width - 1)
  if (from <= to) sheet.data.fill(255, y * sheet.width + from, y * sheet.width + to + 1)
}

// A wide line without ends: a quadrangle around the two points.
function drawLine(sheet, from, to, width) {
  const [[x0, y0], [x1, y1]] = [from.map(Math.trunc), to.map(Math.trunc)]
  const [dx, dy] = [x1 - x0, y1 - y0]
  if (!dx && !dy) return fillRow(sheet, x0, y0, x0)
  const length = Math.hypot(dx, dy)
  const half = (width - 1) / 2
  const [more, less] = [awayFromZero(half) / length, towardsZero(half) / length]
  const [left, right, down, up] = [less * dy, more * dy, more * dx, less * dx].map(towardsZero)
  fillPolygon(sheet, [[x0 - left, y0 + down], [x1 - left, y1 + down], [x1 + right, y1 - up], [x0 + right, y0 - up]])
}

// Halves go away from zero, or towards it.
const awayFromZero = (x) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)
const towardsZero = (x) => Math.sign(x) * Math.ceil(Math.abs(x) - 0.5)

function fillPolygon(sheet, corners) {
  const edges = corners.map((corner, at) => edgeOf(corner, corners[(at + 1) % corners.length]))
  for (const edge of edges) if (edge.top === edge.bottom) fillRow(sheet, edge.left, edge.top, edge.right)
  const slanting = edges.filter((edge) => edge.top !== edge.bottom)
  const top = Math.max(0, Math.min(...edges.map((edge) => edge.top)))
  const bottom = Math.min(sheet.height, Math.max(...edges.map((edge) => edge.bottom)))
  for (let y = top; y <= bottom; y++) {
    const crossings = []
    slanting.forEach((edge, at) => {
      if (y < edge.top || y > edge.bottom) return
      const x = crossing(edge, y)
      if (y === edge.bottom && y < bottom) crossings.push(x, x) // one more, so that pairs stay pairs
      else if ((y === edge.top || y === edge.bottom) && edge.slope) crossings.push(cornered(edge, slanting.slice(0, at), x, y))
      else crossings.push(x)
    })
    crossings.sort((x, other) => x - other)
    for (let at = 1; at < crossings.length; at += 2) fillRow(sheet, awayFromZero(crossings[at - 1]), y, towardsZero(crossings[at]))
  }
}

function edgeOf([x0, y0], [x1, y1]) {
  const slope = y0 === y1 ? 0 : Math.fround((x1 - x0) / (y1 - y0)) // 32 bits, as there
  return { x0, y0, slope, left: Math.min(x0, x1), right: Math.max(x0, x1), top: Math.min(y0, y1), bottom: Math.max(y0, y1) }
}

const crossing = (edge, y) => Math.fround(Math.fround((y - edge.y0) * edge.slope) + edge.x0)

// Where a row only touches a sharp corner of two edges, it reaches as far as the row beside it leaves a gap.
function cornered(edge, others, x, y) {
  const beside = y === edge.bottom ? y - 1 : y + 1
  for (const other of others) {
    if ((y !== other.top && y !== other.bottom) || !other.slope) continue
    if (awayFromZero(x) !== awayFromZero(crossing(other, y)) || beside < other.top || beside > other.bottom) continue
    const [one, two] = [crossing(edge, beside), crossing(other, beside)]
    if (x > one + 1 && x > two + 1) return awayFromZero(Math.max(one, two)) + 1
    if (x < one - 1 && x < two - 1) return awayFromZero(Math.min(one, two)) - 1
    return x
  }
  return x
}

function drawDisc(sheet, left, top, right, bottom) {
  const [x0, y0, x1, y1] = [left, top, right, bottom].map(Math.trunc)
  const [a, b] = [x1 - x0, y1 - y0]
  for (const [y, x] of quarter(a, b)) {
    fillRow(sheet, x0 + (a - x) / 2, y0 + (b + y) / 2, x0 + (a + x) / 2)
    fillRow(sheet, x0 + (a - x) / 2, y0 + (b - y) / 2, x0 + (a + x) / 2)
  }
}

const QUARTERS = new Map()

// Half-pixel rows [y, x] of a quarter of an ellipse with diameters a and b: from the right, each next point is the one
// of three neighbours that is closest to the curve; of a row the outermost counts.
function quarter(a, b) {
  const key = `${a},${b}`
  if (QUARTERS.has(key)) return QUARTERS.get(key)
  const off = (x, y) => Math.abs(a * a * y * y + b * b * x * x - a * a * b * b)
  let [x, y] = [a, b % 2]
  const rows = [[y, x]]
  while (x !== a % 2 || y !== b) {
    const next = x > 1 ? [[x, y + 2], [x - 2, y + 2], [x - 2, y]] : [[x, y + 2]]
    const before = y
    ;[x, y] = next.reduce((best, point) => (off(...point) < off(...best) ? point : best))
    if (y > before) rows.push([y, x])
  }
  if (QUARTERS.size > 64) QUARTERS.clear()
  QUARTERS.set(key, rows)
  return rows
}

function halved({ width, height, data }) {
  const half = { width: width / 2, height: height / 2, data: new Uint8Array((width * height) / 4) }
  for (let row = 0, to = 0; row < half.height; row++)
    for (let column = 0; column < half.width; column++, to++) {
      const at = 2 * (row * width + column)
      half.data[to] = (data[at] + data[at + 1] + data[at + width] + data[at + width + 1] + 2) >> 2
    }
  return half
}

// Halves go to the even number, as Python and NumPy round.
function roundEven(x) {
  const low = Math.floor(x)
  if (x - low !== 0.5) return Math.round(x)
  return low % 2 ? low + 1 : low
}
