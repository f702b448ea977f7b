// A camera and a card for each class: while its button is held, pictures are recorded; then they go to the server.
const WIDTH = 640 // pixels of the camera's picture
const PER_SECOND = 10 // pictures
const TYPED = 300 // ms without a key, after which a name is sent
const PATIENCE = 15000 // ms without a word from the server, after which an action is sent again
const LOOK = 300 // ms between two pictures that the server is asked to name
const TOO_SHORT = "Too short to keep. Hold the button longer, and move a little."

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".recorder")
  root.recorder ??= recorder(root)
  root.recorder.receive(data, setTriggerValue)
  return root.recorder.close
}

function recorder(root) {
  const part = (name) => root.querySelector(`.${name}`)
  const source = cameraIn(root, WIDTH, changed)
  const cards = []
  const actions = queue()
  const page = pageAround(() => tell("page", true))
  let data, tell
  let recording = null // { place, frames, timer }
  let looking // timer

  part("recorder-add").onclick = () => actions.put({ what: "add", name: "" })
  part("recorder-none").onclick = () => actions.put({ what: "add", name: "none" })

  function changed(isOn) {
    if (!isOn) stop()
    update()
    look()
  }

  // Asks again and again what the camera shows, while nothing else is asked of the server.
  function look() {
    clearTimeout(looking)
    if (!source.isOn()) return
    const frame = data.canAnswer && !recording && actions.isIdle() && page.isQuiet() && source.square(data.side)
    if (frame) {
      page.sending()
      actions.put({ what: "look", frame })
    }
    looking = setTimeout(look, LOOK)
  }

  function start(place) {
    if (recording || !source.isOn()) return
    cards[place].tell("")
    recording = { place, frames: [], timer: setInterval(record, 1000 / PER_SECOND) }
    record()
  }

  function record() {
    const frame = source.square(data.side)
    if (frame) recording.frames.push(frame)
    if (recording.frames.length >= data.longest) stop()
    else update()
  }

  // Stops what is recorded, or only that of one class: its button is let go of after the next one is pressed.
  function stop(only = recording?.place) {
    if (!recording || recording.place !== only) return
    const { place, frames, timer } = recording
    clearInterval(timer)
    recording = null
    if (frames.length >= data.fewest) actions.put({ what: "record", place, frames })
    else cards[place].tell(TOO_SHORT)
    update()
  }

  function receive(given, send) {
    data = given
    tell = send
    actions.receive(given.taken, (action) => {
      send("action", action)
      if (action.what !== "look") send("page", true) // which shows what has changed
    })
    update()
  }

  function update() {
    while (cards.length < data.classes.length) { // cards stay where they are: a button that moves is let go
      cards.push(card(cards.length, { start, stop, put: actions.put }))
      part("recorder-classes").append(cards.at(-1).box)
    }
    for (const { box } of cards.splice(data.classes.length)) box.remove()
    cards.forEach(({ show }, place) => {
      show(data.classes[place], { isReady: source.isOn(), frames: recording?.place === place ? recording.frames.length : -1 })
    })
    part("recorder-none").hidden = data.classes.some(({ name }) => name.toLowerCase() === "none")
    part("recorder-error").textContent = data.error
    part("recorder-hint").textContent = source.isOn() ? data.hint : ""
    part("recorder-seen").replaceChildren(...(source.isOn() ? data.answers.map(answerCard) : []))
    guard(data.waits || recording || actions.waits("record"))
  }

  function guard(isOn) {
    if (isOn) window.addEventListener("beforeunload", keep)
    else window.removeEventListener("beforeunload", keep)
  }

  function close() {
    source.close()
    page.close()
    actions.close()
    guard(false)
  }

  return { receive, close }
}

// Has the browser ask before the page is reloaded or closed.
function keep(event) {
  event.preventDefault()
}

// Actions go one at a time, each after the server has taken the last: a second one sent meanwhile would replace it.
function queue() {
  const waiting = []
  let next = Date.now() // number of an action; larger than any of an earlier page
  let send, timer

  function sendFirst() {
    clearTimeout(timer)
    if (!waiting.length || !send) return
    send(waiting[0])
    timer = setTimeout(sendFirst, PATIENCE)
  }
  return {
    put(action) {
      if (waiting[0]?.what === "look") waiting.shift() // which may be replaced
      waiting.push({ ...action, number: next++ })
      if (waiting.length === 1) sendFirst()
    },
    receive(taken, sender) {
      send = sender
      if (waiting[0]?.number !== taken) return
      waiting.shift()
      sendFirst()
    },
    isIdle: () => !waiting.length,
    waits: (what) => waiting.some((action) => action.what === what),
    close() { // its page is left: nobody would take the actions
      clearTimeout(timer)
      send = null
    },
  }
}

function card(place, { start, stop, put }) {
  const box = element("section", "recorder-class")
  const name = element("input", "recorder-name")
  let typing = null // what sends the name
  Object.assign(name, { type: "text", maxLength: 80, placeholder: `Class ${place + 1}` })
  name.setAttribute("aria-label", `Name of class ${place + 1}`)
  // Sent while one types, not as the field is left: that may be by a click on another page, which would be lost.
  name.oninput = () => {
    clearTimeout(typing)
    typing = setTimeout(() => {
      typing = null
      put({ what: "rename", place, name: name.value })
    }, TYPED)
  }
  name.onkeydown = ({ key }) => key === "Enter" && name.blur()
  const hold = element("button", "recorder-hold", "Hold to record")
  const undo = element("button", "recorder-undo", "Remove last burst")
  hold.type = undo.type = "button"
  undo.onclick = () => put({ what: "undo", place })
  listenTo(hold, () => start(place), () => stop(place))
  const told = element("span", "recorder-told")
  const warning = element("p", "recorder-warning")
  warning.setAttribute("role", "alert")
  const bursts = element("div", "recorder-bursts")
  const row = element("div", "recorder-row")
  row.append(hold, undo)
  box.append(name, told, row, warning, bursts)

  function show({ name: given, count, thumbs }, { isReady, frames }) {
    if (!name.matches(":focus") && !typing) name.value = given
    hold.disabled = !isReady
    hold.classList.toggle("recording", frames >= 0)
    hold.setAttribute("aria-pressed", String(frames >= 0))
    hold.textContent = frames >= 0 ? "Recording …" : "Hold to record"
    hold.setAttribute("aria-label", `${hold.textContent} ${given || `class ${place + 1}`}`)
    undo.disabled = !thumbs.length
    const total = count + Math.max(0, frames)
    told.textContent = `${total} ${total === 1 ? "picture" : "pictures"}, ${thumbs.length} ${thumbs.length === 1 ? "burst" : "bursts"}`
    if (bursts.childElementCount !== thumbs.length) bursts.replaceChildren(...thumbs.map(thumb))
  }
  return { box, show, tell: (text) => { warning.textContent = text } }
}

function thumb({ url, count }, number) {
  const box = element("div", "recorder-thumb")
  const image = element("img", "")
  Object.assign(image, { src: url, alt: `Burst ${number + 1}` })
  box.append(image, element("span", "", `×${count}`))
  return box
}

// Recording lasts as long as the pointer or the key is down; a click without either, as of a screen reader, toggles it.
function listenTo(button, start, stop) {
  const isKey = ({ key }) => key === " " || key === "Enter"
  button.onpointerdown = (event) => {
    if (event.button !== 0) return
    button.setPointerCapture(event.pointerId)
    start()
  }
  button.onpointerup = button.onpointercancel = button.onlostpointercapture = button.onblur = stop
  button.oncontextmenu = (event) => event.preventDefault()
  button.onkeydown = (event) => {
    if (!isKey(event)) return
    event.preventDefault()
    if (!event.repeat) start()
  }
  button.onkeyup = (event) => {
    if (!isKey(event)) return
    event.preventDefault()
    stop()
  }
  button.onclick = ({ pointerType }) => {
    if (pointerType) return
    if (button.classList.contains("recording")) stop()
    else start()
  }
}
