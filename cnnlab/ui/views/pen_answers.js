// What each chosen network answers while the pen moves on the canvas; the server's answer follows when it is lifted.
// One network has a box with bars; several have a line each, so that all are seen below the canvas.
const PAPER = "canvas.upper-canvas"
const MOVES = '[aria-label="Edit"][aria-pressed="true"]' // the canvas's tool that moves strokes instead of drawing
const SLOW = 60 // ms: slower networks answer when the pen rests
const RESTS = 150 // ms

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".pen")
  root.pen ??= penAnswers(root)
  root.pen.receive(data)
  return root.pen.close
}

function penAnswers(root) {
  const rows = new Map() // name of a network → how its answer is shown
  const listeners = { pointerdown: begin, pointermove: move, pointerup: end, pointercancel: end, "cnnlab-networks": answer }
  for (const [type, listener] of Object.entries(listeners)) window.addEventListener(type, listener, true)
  let data
  let paper = null // the canvas that is drawn on just now
  let strokes = [] // lists of [x, y], as shares of the canvas
  let took = 0
  let restsLater

  function begin(event) {
    const canvas = event.composedPath()[0]
    if (event.button > 0 || !canvas.matches?.(PAPER) || canvas.getRootNode().querySelector(MOVES)) return
    paper = canvas
    strokes = [...strokes, [pointOf(event)]]
    changed(event.timeStamp)
  }

  function move(event) {
    if (!paper) return
    const passed = event.getCoalescedEvents?.() ?? []
    strokes.at(-1).push(...(passed.length ? passed : [event]).map(pointOf))
    changed(event.timeStamp)
  }

  function end() {
    paper = null
  }

  function pointOf({ clientX, clientY }) {
    const frame = paper.getBoundingClientRect()
    return [(clientX - frame.left) / frame.width, (clientY - frame.top) / frame.height]
  }

  // The server tells what the canvas made of the strokes; while one draws on, it is late.
  function receive(given) {
    const others = JSON.stringify(given.networks) !== JSON.stringify(data?.networks)
    data = given
    if (others) showRows()
    if (paper) return
    strokes = data.strokes
    answer()
  }

  function showRows() {
    rows.clear()
    root.replaceChildren()
    root.classList.toggle("several", data.networks.length > 1)
    for (const { name, title } of data.networks) rows.set(name, row(root, title))
  }

  function changed(since) {
    clearTimeout(restsLater)
    if (took > SLOW) restsLater = setTimeout(answer, RESTS)
    else answer().then(() => performance.measure("pen to answer", { start: since, end: performance.now() }))
  }

  async function answer() {
    if (!data) return
    const drawn = strokes
    for (const [name, { show }] of rows) {
      const network = await window.cnnlabNetworks?.get(name)
      if (drawn !== strokes && !paper) return // a newer one is being answered
      const begun = performance.now()
      show(network && strokes.length ? network.answer(strokes, penOf()) : null, network)
      if (network) window.dispatchEvent(new CustomEvent("cnnlab-answered", { detail: { network, isBlank: !strokes.length } }))
      took = performance.now() - begun
    }
  }

  // The mean width of all strokes, as the app takes it.
  function penOf() {
    const before = data.strokes.length
    const after = strokes.length - before
    return after > 0 ? (before * data.pen + after * data.nextPen) / strokes.length : data.pen
  }

  function close() {
    for (const [type, listener] of Object.entries(listeners)) window.removeEventListener(type, listener, true)
    clearTimeout(restsLater)
  }

  return { receive, close }
}

// Without a title it is the only one.
function row(root, title) {
  const made = (style) => {
    const element = document.createElement("div")
    element.className = style
    return element
  }
  const [box, name, said, why, bars] = ["pen-row", "pen-title", "pen-said", "pen-why", "pen-bars"].map(made)
  name.textContent = title || "While the pen moves"
  name.title = title // which may be cut
  bars.setAttribute("aria-hidden", "true") // the server's answer has them, too
  box.append(name, said, why, bars)
  root.append(box)

  function show(answer, network) {
    said.textContent = answer ? answer.class : "–"
    why.title = reasonOf(answer, network)
    why.textContent = title ? why.title.split(":")[0] : why.title // a line has no room for more
    box.classList.toggle("doubted", Boolean(answer?.doubt))
    const classes = network?.classes ?? []
    while (bars.children.length < classes.length) bars.append(bar(made, classes[bars.children.length]))
    for (const [place, { firstChild }] of [...bars.children].entries()) {
      firstChild.firstChild.style.height = `${100 * (answer?.probabilities[place] ?? 0)}%`
    }
  }
  return { show }
}

function bar(made, name) {
  const [column, track, filled, label] = ["pen-bar", "pen-track", "pen-filled", "pen-label"].map(made)
  track.append(filled)
  label.textContent = name
  column.append(track, label)
  return column
}

function reasonOf(answer, network) {
  if (!network) return "Getting ready …"
  if (!answer) return "Draw: it answers while the pen moves."
  return answer.doubt ? `Not sure: ${answer.doubt}` : `${percent(Math.max(...answer.probabilities))} sure`
}
