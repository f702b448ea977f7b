// One image's way through a network: a column of maps for each layer, joined by what feeds what; the answer at its end.
const SMALLEST = 42 // pixels of a tile's side
const LARGEST = 60
const GAP = 22 // pixels between two columns
const SPACE = 5 // pixels between two tiles
const ANSWER = 195 // pixels that the answer takes at the least, with the frame's padding
const DRAWN = 400 // ms, till the page has drawn what a click opened below
const SVG = "http://www.w3.org/2000/svg"

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".strip")
  const frame = root.querySelector(".strip-frame")
  const { scrollLeft } = frame
  const focus = frame.getRootNode().activeElement?.dataset?.map
  const track = built(data)
  frame.setAttribute("role", "group")
  frame.setAttribute("aria-label", data.alt)
  root.classList.toggle("doubtful", data.doubtful)
  root.classList.toggle("nested", data.columns.some((column) => column.within))
  frame.replaceChildren(track)
  const fit = () => {
    const narrow = data.columns.filter((column) => column.keeps).length // half a gap before each
    const room = frame.clientWidth - ANSWER - GAP * (data.columns.length - narrow / 2)
    const tile = Math.max(SMALLEST, Math.min(LARGEST, Math.floor(room / data.columns.length)))
    for (const [name, value] of Object.entries({ tile, gap: GAP, space: SPACE })) root.style.setProperty(`--${name}`, `${value}px`)
    root.style.setProperty("--rows", data.rows)
    link(track, data)
  }
  fit()
  frame.scrollTo({ left: scrollLeft, behavior: "instant" })
  makeReachable(track, focus)
  if (data.opened && data.opened !== (root.opened ?? "")) setTimeout(() => bringUp(root), DRAWN)
  root.opened = data.opened
  const choose = (tile) => tile?.dataset.map && setTriggerValue("clicked", tile.dataset.map)
  frame.onclick = (event) => choose(event.target.closest(".strip-tile"))
  frame.onkeydown = (event) => walk(event, track)
  frame.onmouseover = frame.onfocusin = (event) => heat(track, data, event.target.closest(".strip-tile"))
  frame.onmouseleave = frame.onfocusout = () => heat(track, data, null)
  const observer = new ResizeObserver(fit)
  observer.observe(frame)
  return () => observer.disconnect()
}

function element(tag, style, text = "") {
  return Object.assign(document.createElement(tag), { className: style, textContent: text })
}

function built(data) {
  const track = element("div", "strip-track")
  const links = document.createElementNS(SVG, "svg")
  links.setAttribute("class", "strip-links")
  links.setAttribute("aria-hidden", "true")
  track.append(links, ...data.columns.map((column, at) => columnOf(column, at, data)))
  if (data.answer) track.append(answerOf(data.answer))
  return track
}

function columnOf(column, at, data) {
  const box = element("div", "strip-column")
  box.classList.toggle("narrow", Boolean(data.columns[at + 1]?.keeps))
  box.dataset.name = column.name
  box.setAttribute("role", "group")
  box.setAttribute("aria-label", [column.within, column.title, column.kind, column.shape].filter(Boolean).join(", "))
  box.append(headOf(column.within, column.title, [column.kind, column.shape], column.colour))
  box.append(...column.labels.map((label, place) => tileOf(column, label, place, data)))
  if (column.more) box.append(element("div", "strip-more", column.more))
  return box
}

function headOf(within, title, details, colour) {
  const head = element("div", "strip-head")
  head.style.setProperty("--family", colour)
  head.title = [within, title, ...details].filter(Boolean).join(", ")
  head.append(element("div", "detail within", within), element("div", "name", title))
  head.append(...details.map((detail) => element("div", "detail", detail)))
  return head
}

function tileOf(column, label, place, data) {
  const tile = element("button", `strip-tile ${column.shows}`)
  const count = column.labels.length
  tile.type = "button"
  tile.title = label
  tile.dataset.map = `${column.name}/${column.units[place] ?? ""}`
  tile.setAttribute("aria-label", label)
  tile.setAttribute("aria-pressed", tile.dataset.map === data.opened)
  tile.style.setProperty("--count", count)
  tile.style.backgroundImage = `url(${column.picture})`
  tile.style.backgroundPositionY = `${count > 1 ? (100 * place) / (count - 1) : 0}%`
  return tile
}

function answerOf(answer) {
  const box = element("div", "strip-answer")
  box.setAttribute("role", "img")
  box.setAttribute("aria-label", answer.alt)
  box.style.setProperty("--classes", answer.rows.length)
  box.append(headOf("", answer.title, answer.details, "#2f6fde"))
  for (const { name, share, told, best } of answer.rows) {
    const row = element("div", `strip-class${best ? " best" : ""}`)
    const bar = element("span", "bar")
    bar.style.width = `${100 * share}%`
    row.title = `${name}: ${(100 * share).toFixed(1)}%`
    row.append(element("span", "label", name), bar, element("span", "share", told))
    box.append(row)
  }
  return box
}

// Scrolls the page so that the strip and what lies below it are seen together.
function bringUp(root) {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches
  root.scrollIntoView({ block: "start", behavior: isCalm ? "instant" : "smooth" })
}

// ---- what feeds what

function link(track, data) {
  const links = track.querySelector(".strip-links")
  const all = document.createElementNS(SVG, "g")
  const hot = document.createElementNS(SVG, "g")
  hot.setAttribute("class", "hot")
  links.replaceChildren(all, hot)
  data.columns.forEach((column, at) => {
    const count = column.labels.length
    for (let place = 0; place < count; place++) for (const [path] of feeding(track, data, at, place)) all.append(path)
  })
}

// A line from each tile of the column before that feeds this one, with the share that a filter reads of it.
function feeding(track, data, at, place) {
  const [column, before] = [data.columns[at], data.columns[at - 1]]
  if (!before || column.source !== before.name) return []
  const boxes = track.querySelectorAll(".strip-column")
  const [from, to] = [boxes[at - 1], boxes[at]].map((box) => [...box.querySelectorAll(".strip-tile")])
  const aligned = column.keeps && before.labels.length === column.labels.length
  return from.flatMap((tile, number) =>
    aligned && number !== place ? [] : [[curve(tile, to[place]), aligned ? 1 : (column.reach?.[place]?.[number] ?? 1)]],
  )
}

function curve(from, to) {
  const path = document.createElementNS(SVG, "path")
  const [fromBox, toBox] = [from.parentElement, to.parentElement]
  const [x1, y1] = [fromBox.offsetLeft + from.offsetLeft + from.offsetWidth, fromBox.offsetTop + from.offsetTop + from.offsetHeight / 2]
  const [x2, y2] = [toBox.offsetLeft + to.offsetLeft, toBox.offsetTop + to.offsetTop + to.offsetHeight / 2]
  const middle = (x1 + x2) / 2
  path.setAttribute("d", `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`)
  return path
}

function heat(track, data, tile) {
  const hot = track.querySelector(".strip-links .hot")
  hot.replaceChildren()
  if (!tile) return
  const box = tile.closest(".strip-column")
  const at = [...track.querySelectorAll(".strip-column")].indexOf(box)
  const place = [...box.querySelectorAll(".strip-tile")].indexOf(tile)
  for (const [path, share] of feeding(track, data, at, place)) {
    path.style.strokeOpacity = share
    hot.append(path)
  }
}

// ---- hands

// One tile at a time is a stop of the tabulator; the arrow keys lead to the others.
function makeReachable(track, focus) {
  const tiles = [...track.querySelectorAll(".strip-tile")]
  for (const tile of tiles) tile.tabIndex = -1
  const pressed = tiles.find((tile) => tile.getAttribute("aria-pressed") === "true")
  const first = tiles.find((tile) => tile.dataset.map === focus) ?? pressed ?? tiles[0]
  if (!first) return
  first.tabIndex = 0
  if (focus) first.focus({ preventScroll: true })
}

function walk(event, track) {
  const tile = event.target.closest(".strip-tile")
  if (!tile || event.altKey || event.ctrlKey || event.metaKey) return
  const columns = [...track.querySelectorAll(".strip-column")].map((box) => [...box.querySelectorAll(".strip-tile")])
  const at = columns.findIndex((tiles) => tiles.includes(tile))
  const row = columns[at].indexOf(tile)
  const last = columns.length - 1
  const to = {
    ArrowLeft: [Math.max(at - 1, 0), row],
    ArrowRight: [Math.min(at + 1, last), row],
    ArrowUp: [at, Math.max(row - 1, 0)],
    ArrowDown: [at, row + 1],
    Home: [0, row],
    End: [last, row],
  }[event.key]
  if (!to) return // Enter and space click the button
  const next = columns[to[0]][Math.min(to[1], columns[to[0]].length - 1)]
  tile.tabIndex = -1
  next.tabIndex = 0
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: "nearest", inline: "nearest" })
  event.preventDefault()
}
