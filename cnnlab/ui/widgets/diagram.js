// An SVG in a frame that scrolls: zoomed, dragged, saved; a click on a layer, or Enter, tells its place.
const MOST = 4
const LEAST = 0.15
const STEP = 1.25
const LOWEST_TEXT = 0.7 // the smallest zoom that a drawing begins with: its labels are still read
const DRAG = 4 // pixels that a hand may shake in a click

export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector(".network-frame")
  const svg = show(frame, data)
  const shown = parentElement.querySelector(".network-zoom")
  const zoomBy = (factor, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
    const before = zoomOf(frame)
    zoomTo(frame, before * factor)
    const ratio = zoomOf(frame) / before
    frame.scrollLeft = (frame.scrollLeft + x) * ratio - x
    frame.scrollTop = (frame.scrollTop + y) * ratio - y
    shown.textContent = percent(frame)
  }
  const fit = () => zoomBy(frame.clientWidth / svg.viewBox.baseVal.width / zoomOf(frame))
  const tools = { in: () => zoomBy(STEP), out: () => zoomBy(1 / STEP), fit, save: () => save(data) }
  for (const [name, act] of Object.entries(tools)) parentElement.querySelector(`[data-tool=${name}]`).onclick = act
  shown.textContent = percent(frame)

  frame.onwheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return // the page scrolls
    event.preventDefault()
    const box = frame.getBoundingClientRect()
    zoomBy(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top)
  }
  const choose = (element) => {
    const layer = element.closest("[data-place]")
    if (layer) setTriggerValue("clicked", layer.dataset.place)
  }
  const wasDragged = pan(frame)
  frame.onclick = (event) => wasDragged() || choose(event.target)
  frame.onkeydown = (event) => walk(event, frame, choose)
}

// Puts the drawing into the frame where it is another; zoom and scroll position stay.
function show(frame, { svg, alt }) {
  if (frame.shown === svg) return frame.querySelector("svg")
  const drawing = document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true)
  const { scrollLeft, scrollTop } = frame
  const focus = frame.getRootNode().activeElement?.closest?.("[data-place]")?.dataset.place
  drawing.setAttribute("role", "group") // of things to choose from
  drawing.setAttribute("aria-label", alt)
  frame.replaceChildren(drawing)
  frame.shown = svg
  frame.dataset.zoom ??= Math.max(LOWEST_TEXT, Math.min(1, 240 / drawing.viewBox.baseVal.height))
  zoomTo(frame, zoomOf(frame))
  frame.scrollTo({ left: scrollLeft, top: scrollTop, behavior: "instant" })
  bringIntoView(frame, drawing.querySelector(".selected"))
  makeReachable(drawing, focus)
  return drawing
}

// Scrolls the frame sideways, and only the frame, where the layer that was just picked elsewhere is not all in it.
function bringIntoView(frame, layer) {
  const place = layer?.dataset.place
  if (place && place !== frame.dataset.picked) {
    const [all, box] = [frame.getBoundingClientRect(), layer.getBoundingClientRect()]
    if (box.left < all.left || box.right > all.right) {
      frame.scrollLeft += box.left + box.width / 2 - all.left - all.width / 2
    }
  }
  frame.dataset.picked = place ?? ""
}

// Each layer is a button; one of them at a time is a stop of the tabulator, the arrow keys lead to the others.
function makeReachable(drawing, focus) {
  const layers = [...drawing.querySelectorAll(".layer")]
  for (const layer of layers) {
    layer.setAttribute("role", "button")
    layer.setAttribute("aria-label", layer.querySelector("title").textContent.replaceAll("\n", ", "))
    layer.setAttribute("aria-pressed", layer.classList.contains("selected"))
    layer.setAttribute("tabindex", -1)
  }
  const first = layers.find((layer) => layer.dataset.place === focus) ?? drawing.querySelector(".selected") ?? layers[0]
  first?.setAttribute("tabindex", 0)
  if (focus) first?.focus({ preventScroll: true })
}

function walk(event, frame, choose) {
  const layers = [...frame.querySelectorAll(".layer")]
  const at = layers.indexOf(event.target.closest(".layer"))
  if (at < 0) return
  const last = layers.length - 1
  const to = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last }[event.key]
  if (to !== undefined) {
    layers[at].setAttribute("tabindex", -1)
    layers[to].setAttribute("tabindex", 0)
    layers[to].focus({ preventScroll: true })
    layers[to].scrollIntoView({ block: "nearest", inline: "nearest" })
  } else if (event.key === "Enter" || event.key === " ") {
    choose(event.target)
  } else return
  event.preventDefault()
}

function zoomOf(frame) {
  return Number(frame.dataset.zoom)
}

function percent(frame) {
  return `${Math.round(zoomOf(frame) * 100)} %`
}

function zoomTo(frame, zoom) {
  const drawing = frame.querySelector("svg")
  const { width, height } = drawing.viewBox.baseVal
  frame.dataset.zoom = Math.min(MOST, Math.max(LEAST, zoom))
  drawing.style.width = `${width * zoomOf(frame)}px`
  drawing.style.height = `${height * zoomOf(frame)}px`
}

// A mouse drags what a finger scrolls; gives whether the click that just came ended a drag.
function pan(frame) {
  let start
  let far = false
  frame.onpointerdown = (event) => {
    far = false
    if (event.pointerType !== "mouse" || event.button !== 0) return
    start = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop }
  }
  frame.onpointermove = (event) => {
    if (!start) return
    const [x, y] = [event.clientX - start.x, event.clientY - start.y]
    if (!far && Math.hypot(x, y) > DRAG) {
      far = true
      frame.setPointerCapture(event.pointerId)
    }
    if (far) frame.scrollTo({ left: start.left - x, top: start.top - y, behavior: "instant" })
  }
  frame.onpointerup = frame.onpointercancel = () => {
    start = undefined
  }
  return () => far
}

function save({ svg, name }) {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }))
  const link = Object.assign(document.createElement("a"), { href: url, download: `${name}.svg` })
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000) // ms, till the browser has read it
}
