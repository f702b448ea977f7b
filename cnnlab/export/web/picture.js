// Makes a picture of anything the network's input, as the app does: a drawn character on any paper becomes ink, other
// pictures are scaled, after their ground was made black where the network learned from light things on a dark ground.
const RIM = 1 / 8 // widest rim, as a share of a picture's side
const SPAN = 0.98 // least share of a side that its rim covers
const BUSY = 0.3 // largest share of ink on the line inside a rim; more is no plain ground
const FREE = 0.5 // least share of a rim that no ink touches
const FAINTEST = 0.09 // share of the strongest contrast that counts as none
const STRAY = 0.001 // share of pixels ignored as outliers among a picture's tones

// Prepares a picture { width, height, bands: [red, green, blue] } for a network of [channels, height, width].
function preparePicture(picture, shape, preparation) {
  if (preparation === "drawn") return prepareInk(asInk(onDark(picture, 1)), shape.slice(1))
  const seen = preparation === "light-on-dark" ? onDark(picture, 4) : picture // a close-up may show its ground along three sides only
  const bands = shape[0] === 1 ? [greyOf(seen)] : seen.bands
  const data = new Uint8Array(count(shape))
  bands.forEach((band, channel) => {
    const scaled = resized({ width: seen.width, height: seen.height, data: band }, shape[2], shape[1], triangle, 1)
    data.set(scaled.data, channel * shape[1] * shape[2])
  })
  return { data, suspicion: "" }
}

// Pixels of 1, 3 or 4 numbers as red, green and blue; what is transparent gets a ground that contrasts with the rest.
function pictureOf(width, height, pixels) {
  const size = width * height
  const channels = pixels.length / size
  if (![1, 3, 4].includes(channels)) throw new DrawingError(`${pixels.length} numbers are no ${width}×${height} picture: give 1, 3 or 4 for each pixel`)
  const bands = [0, 1, 2].map((band) => {
    const data = new Uint8Array(size)
    for (let at = 0; at < size; at++) data[at] = pixels[at * channels + (channels === 1 ? 0 : band)]
    return data
  })
  if (channels === 4) blend(bands, Uint8Array.from({ length: size }, (_, at) => pixels[at * 4 + 3]))
  return { width, height, bands }
}

function blend(bands, opacity) {
  if (opacity.every((alpha) => alpha === 255)) return
  const visible = greyOf({ bands }).filter((_, at) => opacity[at] > 127)
  const ground = visible.length && median(visible) > 127 ? 0 : 255
  for (const band of bands)
    for (let at = 0; at < band.length; at++) band[at] = Math.round((band[at] * opacity[at] + ground * (255 - opacity[at])) / 255)
}

// Luma in whole numbers, as Pillow rounds it.
function greyOf({ bands: [red, green, blue] }) {
  const grey = new Uint8Array(red.length)
  for (let at = 0; at < grey.length; at++) grey[at] = (red[at] * 19595 + green[at] * 38470 + blue[at] * 7471 + 0x8000) >> 16
  return grey
}

// Light strokes on black as if their pen were white.
function asInk(picture) {
  const light = greyOf(picture)
  const most = light.reduce((largest, tone) => Math.max(largest, tone), 0)
  if (most <= FAINT) throw new DrawingError(BLANK)
  const usual = median(light.filter((tone) => tone > most / 2))
  return { width: picture.width, height: picture.height, data: light.map((tone) => roundEven(Math.min(255, (tone / usual) * 255))) }
}

// The picture with its ground black and everything on it light; a rim along so many sides or more is cut off.
function onDark(picture, rimSides) {
  const { width, height } = picture
  const bands = picture.bands.map((band) => band.slice())
  const rim = rimOf(greyOf(picture), width, height, rimSides)
  if (rim)
    bands.forEach((band) => {
      const tone = Math.trunc(median(border(inner(band, width, height))))
      for (let at = 0; at < band.length; at++) if (rim[at]) band[at] = tone
    })
  const grey = greyOf({ bands })
  const ground = median(border({ width, height, data: grey }))
  const [darkest, lightest] = tones(grey)
  const isInverted = ground - darkest > lightest - ground
  return { width, height, bands: bands.map((band) => fromGround(band, median(border({ width, height, data: band })), isInverted)) }
}

// Tones as their distance from the ground, the end of the scale 255.
function fromGround(band, ground, isInverted) {
  const farthest = Math.max(isInverted ? ground : 255 - ground, 1)
  return band.map((tone) => roundEven((Math.max(0, isInverted ? ground - tone : tone - ground) / farthest) * 255))
}

// The darkest and the lightest tone, without the stray ones.
function tones(grey) {
  const histogram = new Float64Array(256)
  for (const tone of grey) histogram[tone]++
  let below = 0
  const shares = histogram.map((number) => (below += number) / grey.length)
  return [shares.findIndex((share) => share > STRAY), shares.findIndex((share) => share >= 1 - STRAY)]
}

// The outermost pixels: first and last row, first and last column.
function border({ width, height, data }) {
  const edge = [...data.subarray(0, width), ...data.subarray((height - 1) * width)]
  for (let row = 0; row < height; row++) edge.push(data[row * width], data[(row + 1) * width - 1])
  return edge
}

// The part that no rim reaches.
function inner(data, width, height) {
  const [down, across] = [Math.trunc(RIM * height), Math.trunc(RIM * width)]
  return cut({ width, data }, { top: down, left: across, bottom: height - down, right: width - across })
}

// The mask of the narrow dark or light rim that a scanner or a frame left along a picture's sides; null if there is none.
function rimOf(grey, width, height, leastSides) {
  const ground = median(border(inner(grey, width, height)))
  const [darkest, lightest] = [grey.reduce((low, tone) => Math.min(low, tone), 255), grey.reduce((high, tone) => Math.max(high, tone), 0)]
  const contrast = Math.max(ground - darkest, lightest - ground)
  const differs = grey.map((tone) => (Math.abs(tone - ground) > FAINTEST * contrast ? 1 : 0))
  const sides = [0, 1, 2, 3].map((turns) => sideOf(differs, width, height, turns))
  const covered = sides.filter((side) => side.isCovered).length
  const line = border(inner(differs, width, height))
  if (covered < leastSides || line.reduce((total, ink) => total + ink, 0) / line.length > BUSY) return null
  const rim = new Uint8Array(grey.length)
  sides.forEach((side, turns) => {
    const hasRimBeside = sides[(turns + 3) % 4].isCovered || sides[(turns + 1) % 4].isCovered
    // Ink that touches a side is no rim: such a side has one only if all four have.
    if (side.isCovered && (covered === 4 || !isTouched(side, hasRimBeside))) fillRim(rim, side)
  })
  return rim.includes(1) ? rim : null
}

// A side turned to the top: how deep what is not ground reaches in, for each place along it.
function sideOf(differs, width, height, turns) {
  const [length, reach] = turns % 2 ? [height, width] : [width, height]
  const index = [
    (deep, along) => deep * width + along,
    (deep, along) => along * width + width - 1 - deep,
    (deep, along) => (height - 1 - deep) * width + width - 1 - along,
    (deep, along) => (height - 1 - along) * width + deep,
  ][turns]
  const depths = Array.from({ length }, (_, along) => {
    let deep = 0
    while (deep < reach && differs[index(deep, along)]) deep++
    return deep
  })
  const isRim = depths.map((depth) => depth > 0 && depth <= RIM * reach)
  const margin = Math.trunc(RIM * length)
  const isCovered = share(depths.map((depth) => depth > 0)) >= SPAN && share(isRim.slice(margin, length - margin)) >= FREE
  return { depths, isRim, reach, margin, index, isCovered }
}

const share = (flags) => flags.filter(Boolean).length / flags.length

function isTouched({ depths, reach, margin }, hasRimBeside) {
  const seen = hasRimBeside ? depths.slice(margin, depths.length - margin) : depths
  return seen.some((depth) => depth > RIM * reach)
}

function fillRim(rim, { depths, isRim, reach, index }) {
  const usual = Math.trunc(median(depths.filter((_, along) => isRim[along])))
  depths.forEach((depth, along) => {
    const end = Math.min(reach, (isRim[along] ? depth : usual) + 1) // a pixel more: its edge is blurred
    for (let deep = 0; deep < end; deep++) rim[index(deep, along)] = 1
  })
}
