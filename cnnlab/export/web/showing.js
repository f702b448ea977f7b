// Shows an answer, feature maps and the network's input. Names are strangers' text: they go into textContent only.
const MOST_BARS = 20

function part(id) {
  return document.getElementById(id)
}

const isNoneOfThem = (name) => name.toLowerCase() === "none"

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

// As before anything was asked.
function clearAnswer() {
  part("said").textContent = "–"
  part("spoken").textContent = ""
  part("why").textContent = part("hint").textContent
  part("answer").classList.remove("doubted")
  for (const row of part("bars").children) {
    row.classList.remove("best")
    row.children[1].firstChild.style.width = "0"
    row.children[2].textContent = ""
  }
}

function clearSheet(sheet) {
  sheet.getContext("2d").clearRect(0, 0, sheet.width, sheet.height)
}

// The colours of the page: its ground, and those of positive and negative numbers.
function pageColours() {
  const style = getComputedStyle(document.documentElement)
  return ["--tile", "--positive", "--negative"].map((name) => {
    const hex = style.getPropertyValue(name).trim()
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))
  })
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

// Puts a picture into the middle of a square sheet, as large as it fits; pixels of small ones stay squares.
function drawFitted(pen, picture, side) {
  const scale = side / Math.max(picture.width, picture.height)
  const [width, height] = [picture.width * scale, picture.height * scale]
  pen.imageSmoothingEnabled = scale < 1
  pen.imageSmoothingQuality = "high"
  pen.drawImage(picture, (side - width) / 2, (side - height) / 2, width, height)
}
