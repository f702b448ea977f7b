// The page: strokes, pictures and the camera become answers, while one draws.
const SPOKEN_AFTER = 700 // ms without a change, so that readers of the screen are not flooded
const SLOW = 60 // ms: slower networks answer when the pen rests
const RESTS = 150 // ms
const WARM_UP = 400 // ms at the most
const CAMERA_PAUSE = 120 // ms between answers to the camera
const CAMERA_SIDE = 320 // pixels

const data = JSON.parse(part("data").textContent)
const shape = data.program.shapes[0]
const figures = mapFigures(data.program, data.maps)
let answers = null
let colours = pageColours()
let spokenLater = 0
let tookLast = 0

function say(text) {
  part("problem").textContent = text
}

// Answers a prepared image and shows it all; `since` is when the wish for it arose.
function answerImage({ data: image, suspicion = "" }, since = performance.now()) {
  const begun = performance.now()
  const answer = answers.answer(image, suspicion)
  say("")
  showAnswer(answer, data.classes)
  paintImage(part("seen"), image, shape)
  for (const figure of figures) paintMaps(figure, answers.network.value(figure.number), colours)
  tookLast = performance.now() - begun
  performance.measure("answer", { start: since, end: performance.now() })
  clearTimeout(spokenLater)
  spokenLater = setTimeout(() => { part("spoken").textContent = `${part("said").textContent}. ${part("why").textContent}` }, SPOKEN_AFTER)
  return answer
}

function attempt(work) {
  try {
    work()
  } catch (error) {
    refuse(error)
  }
}

function refuse(error) {
  if (!(error instanceof DrawingError)) throw error
  showNothing()
  say(sentence(error.message))
}

// As before anything was asked.
function showNothing() {
  clearTimeout(spokenLater)
  say("")
  clearAnswer()
  for (const sheet of [part("seen"), ...figures.map((figure) => figure.sheet)]) clearSheet(sheet)
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!]$/.test(text) ? "" : "."}`

function preparedStrokes(strokes, pen) {
  if (data.preparation !== "drawn") throw new DrawingError("this network takes pictures, not strokes: give { width, height, pixels }")
  return prepareInk(strokeInk(strokes, pen), shape.slice(1))
}

// ---- Wrong use of window.cnnlab.predict

const isNumber = (value) => typeof value === "number" && Number.isFinite(value)
const isStroke = (stroke) => Array.isArray(stroke) && stroke.length > 0 && stroke.every((point) => point?.length === 2 && Array.from(point).every(isNumber))

// Prepares what predict takes: strokes [[[x, y], …], …], { strokes, pen }, { width, height, pixels } with 1, 3 or 4
// numbers a pixel, or { image } with the network's own channels·rows·columns bytes.
function prepareInput(input) {
  if (input?.image) return preparedImage(input.image)
  if (input?.pixels) {
    const { width, height, pixels } = input
    if (![width, height].every((side) => Number.isInteger(side) && side > 0)) throw new DrawingError("width and height are whole numbers of pixels above zero")
    checkPixels(width, height)
    return preparePicture(pictureOf(width, height, pixels), shape, data.preparation)
  }
  const strokes = Array.isArray(input) ? input : input?.strokes
  if (!Array.isArray(strokes)) throw new DrawingError("give strokes [[[x, y], …], …] or { width, height, pixels }")
  if (!strokes.length) throw new DrawingError(NOTHING)
  if (!strokes.every(isStroke)) throw new DrawingError("a stroke is a list of points [x, y] of finite numbers, one at least")
  const pen = input.pen ?? usualPen(strokes)
  if (!isNumber(pen) || pen <= 0) throw new DrawingError("the pen's width is a number above zero")
  return preparedStrokes(strokes, pen)
}

function preparedImage(image) {
  if (image.length !== count(shape)) throw new DrawingError(`this network takes ${shape.join("×")} = ${count(shape)} numbers, not ${image.length}`)
  return { data: Uint8Array.from(image), suspicion: "" }
}

// ---- Pen

const paper = part("paper")
const strokes = []
let picture = null // in place of strokes: a sheet or an image that a canvas can draw
let isDrawing = false
let restsLater = 0

function pointOf(event) {
  const frame = paper.getBoundingClientRect()
  return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height]
}

function drawPaper() {
  const pen = paper.getContext("2d")
  pen.fillStyle = "#000"
  pen.fillRect(0, 0, CANVAS, CANVAS)
  if (picture) drawFitted(pen, picture, CANVAS)
  pen.strokeStyle = pen.fillStyle = "#fff"
  pen.lineWidth = PEN
  pen.lineCap = pen.lineJoin = "round"
  for (const stroke of strokes) {
    pen.beginPath()
    pen.moveTo(stroke[0][0] * CANVAS, stroke[0][1] * CANVAS)
    for (const [x, y] of stroke) pen.lineTo(x * CANVAS, y * CANVAS)
    pen.stroke()
  }
}

function begin(event) {
  if (event.button > 0 || !answers) return
  paper.setPointerCapture(event.pointerId)
  isDrawing = true
  picture = null
  strokes.push([pointOf(event)])
  changed(event.timeStamp)
}

function move(event) {
  if (!isDrawing) return
  const passed = event.getCoalescedEvents?.() ?? []
  strokes[strokes.length - 1].push(...(passed.length ? passed : [event]).map(pointOf))
  changed(event.timeStamp)
}

function end() {
  isDrawing = false
}

// Draws and answers at once, since browsers send one move a frame; a slow network answers when the pen rests.
function changed(since) {
  drawPaper()
  showButtons()
  if (!strokes.length) return showNothing()
  clearTimeout(restsLater)
  if (tookLast > SLOW) restsLater = setTimeout(() => answerStrokes(performance.now()), RESTS)
  else answerStrokes(since)
}

function answerStrokes(since) {
  if (strokes.length) attempt(() => answerImage(preparedStrokes(strokes, PEN / CANVAS), since))
}

function showButtons() {
  part("undo").disabled = !strokes.length
  part("clear").disabled = !strokes.length && !picture
}

function clear() {
  strokes.length = 0
  picture = null
  isDrawing = false
  changed()
}

// ---- Pictures, examples, the camera

async function takeFile(file) {
  if (!file) return
  camera.close()
  clear()
  try {
    const read = await readPicture(file)
    answerPicture(sheetOf(read), () => preparePicture(read, shape, data.preparation))
  } catch (error) {
    refuse(error)
  }
  part("file").value = "" // so that the same file can be chosen again
}

// Puts a picture on the canvas and answers what is prepared of it.
function answerPicture(sheet, prepare) {
  camera.close()
  clear()
  picture = sheet
  drawPaper()
  showButtons()
  answerImage(prepare())
}

function sheetOf({ width, height, bands }) {
  const sheet = element("canvas")
  const image = new Uint8Array(3 * width * height)
  bands.forEach((band, number) => image.set(band, number * band.length))
  paintImage(sheet, image, [3, height, width])
  return sheet
}

function exampleButton({ name, image }) {
  const button = element("button", "example")
  const sheet = element("canvas")
  paintImage(sheet, image, shape)
  button.type = "button"
  button.setAttribute("aria-label", `Example: ${name}`)
  button.append(sheet)
  button.onclick = () => answerPicture(sheet, () => ({ data: image }))
  return button
}

const camera = cameraOf(part("video"), say, (isOn) => {
  part("camera").textContent = isOn ? "Turn the camera off" : "Camera"
  part("video").hidden = !isOn
  clear()
  if (isOn) watch()
})

function watch() {
  const seen = camera.square(CAMERA_SIDE)
  if (seen) attempt(() => answerImage(preparePicture(seen, shape, data.preparation)))
  if (camera.isOn()) setTimeout(watch, CAMERA_PAUSE)
}

// ---- Start

async function start() {
  answers = await openAnswers(data)
  const difference = largestDifference(answers)
  if (!(difference <= data.tolerance)) {
    answers = null
    throw new DrawingError("This file does not compute what the app did, so it does not answer: it was changed or damaged, or this browser computes differently.")
  }
  if (data.preparation === "drawn") warmUp()
  part("checked").textContent = `Checked on ${answers.examples.length} examples when it opened: the same probabilities as the network that was exported.`
  part("examples").append(...answers.examples.map(exampleButton))
  for (const { figure } of figures) part("layers").append(figure)
  for (const control of document.querySelectorAll("[data-needs-network]")) control.disabled = false
  part("status").hidden = true
  clearAnswer()
}

// Browsers translate what runs often: after some strokes that nobody sees, the first real one is answered as fast as all.
function warmUp() {
  const until = performance.now() + WARM_UP
  const hook = [[0.1, 0], [0.7, 0.1], [0.4, 1]]
  for (let round = 0; round < 25 && performance.now() < until; round++) answers.answer(preparedStrokes([hook], usualPen([hook])).data)
}

const ready = start()
ready.catch((error) => {
  part("status").textContent = error instanceof DrawingError ? error.message : "This file is damaged, or this browser is too old for it."
  part("status").classList.add("failed")
})

// For tests and teachers: await cnnlab.predict(strokes) → { class, probabilities, sure, doubt }.
window.cnnlab = {
  ready,
  predict: async (input) => {
    await ready
    const { data: image, suspicion } = prepareInput(input)
    return answers.answer(image, suspicion)
  },
}

paper.addEventListener("pointerdown", begin)
paper.addEventListener("pointermove", move)
for (const name of ["pointerup", "pointercancel"]) paper.addEventListener(name, end)
part("clear").onclick = clear
part("undo").onclick = () => { strokes.pop(); changed(performance.now()) }
part("file").onchange = (event) => takeFile(event.target.files[0])
part("upload").onclick = () => part("file").click()
part("camera").onclick = () => (camera.isOn() ? camera.close() : camera.open())
document.addEventListener("dragover", (event) => event.preventDefault())
document.addEventListener("drop", (event) => {
  event.preventDefault()
  if (answers) takeFile(event.dataTransfer.files[0])
})
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours = pageColours() })
drawPaper()
showButtons()
