// A window over the planes of an image: where it stands, what it takes there, and the output that fills in.
// All numbers come with the data; here they are only shown.
const POSITIVE = [47, 111, 222] // the charts' diverging scale
const NEGATIVE = [194, 56, 107]
const TICK = 70 // ms between two steps while it plays
const CALM_TICK = 1000 // ms, for who prefers reduced motion
const LONGEST = 400 // ticks from the first position to the last
const LARGE_CELLS = 5 // of a kernel's side: up to it a cell has room for pixel, weight and product
const SVG = "http://www.w3.org/2000/svg"

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".window")
  const scene = unpacked(data)
  const state = (root.state ??= { row: data.begin[0], column: data.begin[1], plane: 0, timer: null })
  state.row = clamp(state.row, 0, scene.rows - 1)
  state.column = clamp(state.column, 0, scene.columns - 1)
  state.plane = Math.min(state.plane, scene.names.length - 1)

  const view = { root, scene, state, ...drawn(root, scene, state) }
  const show = () => update(view)
  const moveTo = (row, column) => {
    state.row = clamp(row, 0, scene.rows - 1)
    state.column = clamp(column, 0, scene.columns - 1)
    show()
  }
  const goTo = (position) => moveTo(Math.floor(position / scene.columns), position % scene.columns)
  listenToTools(view, goTo, show)
  listenToKeys(view, moveTo)
  listenToPointer(view, moveTo)
  view.choosePlane = (plane) => {
    state.plane = plane
    Object.assign(view, drawn(root, scene, state))
    show()
  }
  stop(view) // what played before, on other data
  show()
  return () => stop(view)
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high)
}

// Arrays come packed as base64 of 32-bit numbers.
function unpacked(data) {
  const numbers = (packed, Kind) => {
    if (packed === null) return null
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))
    return new Kind(bytes.buffer)
  }
  const [rows, columns] = data.output_size
  const scene = { ...data, rows, columns, origin: numbers(data.origin, Int32Array) }
  for (const name of ["planes", "output", "weights", "products", "sums", "rest"]) {
    scene[name] = numbers(data[name], Float32Array)
  }
  scene.taps = data.kernel[0] * data.kernel[1]
  scene.digits = scene.weights?.every(Number.isInteger) ? 2 : 3
  return scene
}

// ---- what changes only with the data or the plane

function drawn(root, scene, state) {
  const [height, width] = scene.size
  const input = plane(root.querySelector("[data-part=input]"), height, width)
  const plain = scene.planes.subarray(state.plane * height * width, (state.plane + 1) * height * width)
  paint(input.canvas, height, width, (index) => tinted(plain[index], scene, scene.tints[state.plane]))
  const output = plane(root.querySelector("[data-part=output]"), scene.rows, scene.columns)
  const limit = scene.output.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  paint(output.canvas, scene.rows, scene.columns, (index) => signed(scene.output[index] / limit))

  markBorder(input.svg, scene)
  const sources = group(input.svg, "window-sources")
  const taps = group(input.svg, "window-taps")
  const cover = shape(output.svg, "path", { class: "window-cover" })
  const mark = group(output.svg, "window-mark")
  frame(mark, 1, 1)
  outlineTaps(taps, scene)

  const cells = drawCells(root.querySelector(".window-cells"), scene)
  caption(root, "input", inputTitle(scene, state))
  caption(root, "cells", scene.weights ? "Pixel × weight = product" : "Under the window")
  caption(root, "output", `${scene.output_title}, ${scene.rows}×${scene.columns}`)
  return { input, output, sources, taps, cover, mark, cells }
}

function inputTitle(scene, state) {
  const [height, width] = scene.size
  const name = scene.names.length > 1 || scene.names[0] ? `${scene.names[state.plane]}, ` : ""
  const padded = scene.border.some(Boolean) ? ", with padding" : ""
  return `Input, ${name}${height}×${width}${padded}`
}

function plane(part, height, width) {
  const box = part.querySelector(".window-plane")
  box.style.setProperty("--ratio", width / height)
  const canvas = box.querySelector("canvas")
  const svg = box.querySelector("svg")
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  svg.replaceChildren()
  return { box, canvas, svg }
}

function paint(canvas, height, width, colour) {
  Object.assign(canvas, { width, height })
  const context = canvas.getContext("2d")
  const picture = context.createImageData(width, height)
  for (let index = 0; index < height * width; index++) picture.data.set(colour(index), 4 * index)
  context.putImageData(picture, 0, 0)
}

function tinted(value, scene, tint) {
  const [low, high] = scene.range
  if (low < 0) return signed(value / Math.max(-low, high))
  const level = (value - low) / (high - low || 1)
  return [tint[0] * level, tint[1] * level, tint[2] * level, 255]
}

// Zero is the page's own colour, so that it reads in light and dark.
function signed(share) {
  return [...(share < 0 ? NEGATIVE : POSITIVE), 255 * Math.abs(share)]
}

function shape(parent, tag, attributes) {
  const made = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  parent.append(made)
  return made
}

function group(parent, style) {
  return shape(parent, "g", { class: style })
}

// Shades the padding: all but the image itself.
function markBorder(svg, scene) {
  const [top, left, bottom, right] = scene.border
  if (!(top || left || bottom || right)) return
  const [height, width] = scene.size
  const inner = `M${left} ${top}V${height - bottom}H${width - right}V${top}Z`
  shape(svg, "path", { class: "window-padding", d: `M0 0H${width}V${height}H0Z${inner}`, "fill-rule": "evenodd" })
  shape(svg, "path", { class: "window-border", d: inner })
}

function outlineTaps(taps, scene) {
  const [height, width] = extent(scene)
  for (let tap = 0; tap < scene.taps; tap++) {
    const [y, x] = offset(scene, tap)
    shape(taps, "rect", { class: "window-tap", x, y, width: 1, height: 1 })
  }
  frame(taps, width, height)
}

// A line with a light one around it, to be seen on dark, on light and on its own colour.
function frame(parent, width, height) {
  for (const style of ["window-halo", "window-frame"]) shape(parent, "rect", { class: style, width, height })
}

function extent({ kernel, dilation }) {
  return kernel.map((size, axis) => (size - 1) * dilation[axis] + 1)
}

function offset({ kernel, dilation }, tap) {
  return [Math.floor(tap / kernel[1]) * dilation[0], (tap % kernel[1]) * dilation[1]]
}

function drawCells(box, scene) {
  const [rows, columns] = scene.kernel
  const isLarge = Math.max(rows, columns) <= LARGE_CELLS
  box.style.setProperty("--columns", columns)
  box.className = `window-cells ${isLarge ? "large" : columns <= 9 ? "small" : "tiny"}`
  const cells = Array.from({ length: scene.taps }, () => {
    const cell = element("div", "window-cell")
    const [pixel, weight, product] = ["pixel", "weight", "product"].map((part) => element("span", part))
    cell.append(...(isLarge && scene.weights ? [pixel, weight, product] : [product]))
    return { cell, pixel, weight, product }
  })
  box.replaceChildren(...cells.map(({ cell }) => cell))
  return cells
}

function element(tag, style, text = "") {
  return Object.assign(document.createElement(tag), { className: style, textContent: text })
}

function caption(root, part, text) {
  root.querySelector(`[data-part=${part}] figcaption`).textContent = text
}

// ---- what changes with every step

function update(view) {
  const { root, scene, state } = view
  const [top, left] = [state.row * scene.stride[0], state.column * scene.stride[1]]
  view.taps.setAttribute("transform", `translate(${left} ${top})`)
  view.mark.setAttribute("transform", `translate(${state.column} ${state.row})`)
  view.cover.setAttribute("d", root.querySelector(".window-fills").checked ? rest(scene, state) : "")
  showSources(view, top, left)
  showCells(view, top, left)
  showSum(view)
  const position = state.row * scene.columns + state.column
  const slider = root.querySelector(".window-slider")
  Object.assign(slider, { max: scene.rows * scene.columns - 1, value: position })
  slider.setAttribute("aria-valuetext", place(view))
  tell(view, top, left)
}

// The part of the output that comes after this position.
function rest({ rows, columns }, { row, column }) {
  return `M${column + 1} ${row}H${columns}V${row + 1}H${column + 1}Z M0 ${row + 1}H${columns}V${rows}H0Z`
}

// Where the padding under the window was copied from.
function showSources({ scene, sources }, top, left) {
  sources.replaceChildren()
  const width = scene.size[1] - scene.border[1] - scene.border[3]
  for (const [index, isPadding] of under(scene, top, left)) {
    const from = scene.origin?.[index] ?? -1
    if (!isPadding || from < 0) continue
    const [y, x] = [Math.floor(from / width) + scene.border[0], (from % width) + scene.border[1]]
    shape(sources, "rect", { x, y, width: 1, height: 1 })
  }
}

// For each tap the place on the padded plane, and whether that is padding.
function under(scene, top, left) {
  const [above, before, below, after] = scene.border
  const [height, width] = scene.size
  return Array.from({ length: scene.taps }, (_, tap) => {
    const [down, right] = offset(scene, tap)
    const [y, x] = [top + down, left + right]
    return [y * width + x, y < above || x < before || y >= height - below || x >= width - after]
  })
}

function showCells({ scene, state, cells }, top, left) {
  const [height, width] = scene.size
  const pixels = scene.planes.subarray(state.plane * height * width)
  const weights = scene.weights?.subarray(state.plane * scene.taps)
  const position = (state.plane * scene.rows + state.row) * scene.columns + state.column
  const products = scene.products?.subarray(position * scene.taps)
  const strongest = scene.products ? Math.max(1e-9, ...products.subarray(0, scene.taps).map(Math.abs)) : 1
  under(scene, top, left).forEach(([index, isPadding], tap) => {
    const { cell, pixel, weight, product } = cells[tap]
    const [value, digits] = products ? [products[tap], scene.digits] : [pixels[index], 2]
    pixel.textContent = written(pixels[index], digits)
    weight.textContent = weights ? `× ${written(weights[tap], scene.digits)}` : ""
    product.textContent = written(value, digits)
    cell.title = [pixel.textContent, weight.textContent, products ? `= ${product.textContent}` : ""].join(" ").trim()
    cell.classList.toggle("padding", isPadding)
    const share = products ? value / strongest : 0
    cell.style.setProperty("--tint", `rgb(${share < 0 ? NEGATIVE : POSITIVE})`)
    cell.style.setProperty("--share", `${Math.round(45 * Math.abs(share))}%`)
  })
}

function written(value, digits) {
  const text = value.toFixed(digits)
  const plain = Number(text) === 0 ? text.replace("-", "") : text
  return (Number.isInteger(value) ? String(Math.round(value) || 0) : plain).replace("-", "−")
}

// Plane 1 + plane 2 + … + bias = output; each plane can be looked at.
function showSum(view) {
  const { root, scene, state } = view
  const line = root.querySelector(".window-sum")
  const position = state.row * scene.columns + state.column
  const number = (value) => written(value, scene.digits)
  const terms = (scene.sums ? scene.names : []).map((name, plane) => {
    const value = number(scene.sums[plane * scene.rows * scene.columns + position])
    if (scene.names.length === 1) return term("span", scene.rest ? name : `sum of ${scene.taps} products`, value)
    const button = term("button", name, value)
    button.type = "button"
    button.setAttribute("aria-pressed", plane === state.plane)
    button.onclick = () => {
      view.choosePlane(plane)
      line.querySelectorAll("button")[plane].focus()
    }
    return button
  })
  if (scene.rest) terms.push(term("span", scene.rest_title, number(scene.rest[position])))
  if (scene.bias !== null) terms.push(term("span", "bias", number(scene.bias)))
  const total = term("strong", scene.result, number(scene.output[position]))
  const joined = terms.flatMap((item, index) => (index ? [element("span", "sign", "+"), item] : [item]))
  const focused = [...line.querySelectorAll("button")].indexOf(line.getRootNode().activeElement)
  line.replaceChildren(...joined, ...(terms.length ? [element("span", "sign", "=")] : []), total)
  line.querySelectorAll("button")[focused]?.focus()
}

function term(tag, name, value) {
  const made = element(tag, "term")
  made.append(element("small", "", name), element("b", "", value))
  return made
}

function place({ scene, state }) {
  return `row ${state.row + 1} of ${scene.rows}, column ${state.column + 1} of ${scene.columns}`
}

function tell(view, top, left) {
  const { root, scene, state } = view
  const padding = under(scene, top, left).filter(([, isPadding]) => isPadding).length
  const pixels = scene.taps - padding
  const fed = padding ? `${counted(pixels, "pixel")} and ${padding} of padding` : counted(pixels, "pixel")
  const value = written(scene.output[state.row * scene.columns + state.column], scene.digits)
  const told = root.querySelector(".window-told")
  told.setAttribute("aria-live", state.timer ? "off" : "polite")
  told.textContent = `Output ${place(view)}: ${value}, of ${fed}${scene.each}.`
}

function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`
}

// ---- hands

function listenToTools(view, goTo, show) {
  const { root, scene, state } = view
  const last = scene.rows * scene.columns - 1
  const here = () => state.row * scene.columns + state.column
  const tools = {
    back: () => goTo(Math.max(here() - 1, 0)),
    step: () => goTo(Math.min(here() + 1, last)),
    play: () => {
      if (state.timer) return stop(view)
      if (here() === last) goTo(0)
      play(view, goTo)
    },
  }
  for (const [name, act] of Object.entries(tools)) {
    root.querySelector(`[data-tool=${name}]`).onclick = () => {
      if (name !== "play") stop(view)
      act()
    }
  }
  view.toggle = tools.play
  root.querySelector(".window-slider").oninput = (event) => {
    stop(view)
    goTo(Number(event.target.value))
  }
  root.querySelector(".window-fills").onchange = show
}

function play(view, goTo) {
  const { root, scene, state } = view
  clearInterval(state.timer)
  const count = scene.rows * scene.columns
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches
  const far = isCalm ? 1 : Math.ceil(count / LONGEST)
  root.querySelector("[data-tool=play]").textContent = "Pause"
  state.timer = setInterval(
    () => {
      const next = Math.min(state.row * scene.columns + state.column + far, count - 1)
      if (next === count - 1) stop(view)
      goTo(next)
    },
    isCalm ? CALM_TICK : TICK,
  )
}

function stop({ root, state }) {
  clearInterval(state.timer)
  state.timer = null
  root.querySelector("[data-tool=play]").textContent = "Play"
}

function listenToKeys(view, moveTo) {
  const { root, scene, state } = view
  root.querySelector(".window-stage").onkeydown = (event) => {
    if (event.altKey || event.metaKey) return
    const { row, column } = state
    const whole = event.ctrlKey
    const to = {
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      Home: [whole ? 0 : row, 0],
      End: [whole ? scene.rows - 1 : row, scene.columns - 1],
    }[event.key]
    if (to) {
      stop(view)
      moveTo(...to)
    } else if (event.key === " ") view.toggle()
    else return
    event.preventDefault()
  }
}

// A mouse moves the window by hovering, a finger by tapping and dragging.
function listenToPointer(view, moveTo) {
  const { root, scene, state } = view
  const [tall, wide] = extent(scene)
  const aims = {
    input: (y, x) => [
      Math.round((y - tall / 2) / scene.stride[0]),
      Math.round((x - wide / 2) / scene.stride[1]),
    ],
    output: (y, x) => [Math.floor(y), Math.floor(x)],
  }
  for (const [part, aim] of Object.entries(aims)) {
    const { box, svg } = view[part]
    const follow = (event) => {
      const { left, top, width, height } = box.getBoundingClientRect()
      const size = svg.viewBox.baseVal
      const y = ((event.clientY - top) / height) * size.height
      const x = ((event.clientX - left) / width) * size.width
      moveTo(...aim(y, x))
    }
    box.onpointerdown = (event) => {
      stop(view)
      follow(event)
    }
    box.onpointermove = (event) => {
      if (!state.timer && (event.pointerType === "mouse" || event.buttons)) follow(event)
    }
  }
}
