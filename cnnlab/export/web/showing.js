// Shows an answer, feature maps and the network's input. Names are strangers' text: they go into textContent only.
const MOST_BARS = 20
const MOST_MAPS = 16
const GRID = 8 // maps in a row
const CELL = 32 // dots that a small map is enlarged to at the most

function part(id) {
  return document.getElementById(id)
}

function element(tag, style = "", text = "") {
  const made = document.createElement(tag)
  if (style) made.className = style
  made.textContent = text
  return made
}

const isNoneOfThem = (name) => name.toLowerCase() === "none"

function percent(share) {
  if (share > 0.999 && share < 1) return "> 99.9 %"
  return `${(100 * share).toFixed(1)} %`
}

// What is said of an answer, in a word and a sentence.
function saidOf(answer) {
  const name = isNoneOfThem(answer.class) ? "none of the classes" : answer.class
  const most = answer.probabilities.reduce((high, share) => Math.max(high, share), 0)
  if (answer.sure) return { said: name, why: `${percent(most)} sure` }
  return { said: `Not sure: ${name}?`, why: answer.doubt[0].toUpperCase() + answer.doubt.slice(1) }
}

function showAnswer(answer, classes) {
  const { said, why } = saidOf(answer)
  part("said").textContent = said
  part("why").textContent = why
  part("answer").classList.toggle("doubted", !answer.sure)
  showBars(answer.probabilities, classes)
}

// A bar for each class, of many the likeliest ones. Rows are made once and filled anew.
function showBars(probabilities, classes) {
  const order = classes.map((_, at) => at)
  if (classes.length > MOST_BARS) order.sort((one, other) => probabilities[other] - probabilities[one])
  const rows = part("bars")
  while (rows.children.length < Math.min(classes.length, MOST_BARS)) rows.append(barRow())
  const best = probabilities.indexOf(Math.max(...probabilities))
  Array.from(rows.children).forEach((row, place) => {
    const number = order[place]
    const [name, track, label] = row.children
    name.textContent = name.title = classes[number]
    track.firstChild.style.width = `${(100 * probabilities[number]).toFixed(1)}%`
    label.textContent = probabilities[number] >= 0.005 ? percent(probabilities[number]) : ""
    row.classList.toggle("best", number === best)
  })
  part("rest").textContent = classes.length > MOST_BARS ? `The ${MOST_BARS} likeliest of ${classes.length} classes.` : ""
}

function barRow() {
  const row = element("li", "bar")
  const track = element("div", "track")
  track.append(element("div", "filled"))
  row.append(element("span", "name"), track, element("span", "share"))
  return row
}

function clearAnswer() {
  part("said").textContent = "–"
  part("why").textContent = part("hint").textContent
  part("answer").classList.remove("doubted")
  for (const row of part("bars").children) {
    row.children[1].firstChild.style.width = "0"
    row.children[2].textContent = ""
  }
}

// The colours of the page: its ground, and those of positive and negative numbers.
function pageColours() {
  const style = getComputedStyle(document.documentElement)
  return ["--tile", "--positive", "--negative"].map((name) => {
    const hex = style.getPropertyValue(name).trim()
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))
  })
}

// A figure for each layer to show: its name, the size of its maps, and a sheet that the maps are painted on.
function mapFigures(program, names) {
  return names.map((name) => {
    const number = program.layers[name]
    const [channels, height, width] = program.shapes[number]
    const shown = Math.min(channels, MOST_MAPS)
    const figure = element("figure", "maps")
    const sheet = element("canvas")
    const zoom = Math.max(1, Math.floor(CELL / Math.max(width, height)))
    sheet.width = Math.min(shown, GRID) * (zoom * width + 1) - 1
    sheet.height = Math.ceil(shown / GRID) * (zoom * height + 1) - 1
    sheet.setAttribute("role", "img")
    sheet.setAttribute("aria-label", `Feature maps of ${name}`)
    const caption = element("figcaption")
    const more = channels > shown ? `${shown} of ${channels} maps` : `${channels} ${channels === 1 ? "map" : "maps"}`
    caption.append(element("strong", "", name), ` ${more}, ${height}×${width}`)
    figure.append(caption, sheet)
    return { figure, sheet, number, shown, zoom }
  })
}

// Paints maps: zero looks like the page, the largest number of the layer has the full colour.
function paintMaps({ sheet, shown, zoom }, { data, shape: [, height, width] }, [ground, positive, negative]) {
  const pen = sheet.getContext("2d")
  const image = pen.createImageData(sheet.width, sheet.height)
  const size = height * width
  let most = 0
  for (let at = 0; at < shown * size; at++) most = Math.max(most, Math.abs(data[at]))
  for (let map = 0; map < shown; map++) {
    const [top, left] = [Math.floor(map / GRID) * (zoom * height + 1), (map % GRID) * (zoom * width + 1)]
    for (let row = 0; row < zoom * height; row++)
      for (let column = 0; column < zoom * width; column++) {
        const value = most ? data[map * size + Math.floor(row / zoom) * width + Math.floor(column / zoom)] / most : 0
        const colour = value < 0 ? negative : positive
        const to = 4 * ((top + row) * sheet.width + left + column)
        for (let band = 0; band < 3; band++) image.data[to + band] = ground[band] + (colour[band] - ground[band]) * Math.abs(value)
        image.data[to + 3] = 255
      }
  }
  pen.putImageData(image, 0, 0)
}

// Paints an image (channels·rows·columns bytes) on a sheet of its size.
function paintImage(sheet, image, [channels, height, width]) {
  sheet.width = width
  sheet.height = height
  const pen = sheet.getContext("2d")
  const pixels = pen.createImageData(width, height)
  const size = height * width
  for (let place = 0; place < size; place++)
    for (let band = 0; band < 4; band++)
      pixels.data[4 * place + band] = band === 3 ? 255 : image[(channels === 3 ? band : 0) * size + place]
  pen.putImageData(pixels, 0, 0)
}
