// The layer list: what each layer gives and costs; picked, moved, doubled and removed by mouse, touch or keyboard.
const TOOLS = [
  ["up", "↑", "Move up"],
  ["down", "↓", "Move down"],
  ["duplicate", "×2", "Duplicate"],
  ["remove", "✕", "Remove"],
]
const KEYS = { ArrowUp: "up", ArrowDown: "down", Delete: "remove", Backspace: "remove" }

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".stack-list")
  const pickable = data.rows.filter((row) => row.pickable)
  const tell = (what, place, target = null) => setTriggerValue("action", { what, place, target })
  const rows = data.rows.map((row) => drawn(row, data, tell))
  list.replaceChildren(head(data.columns), ...rows)
  show(list, rows.find((row) => row.dataset.place === data.picked))

  list.onkeydown = (event) => {
    const at = pickable.findIndex((row) => row.place === data.picked)
    if (event.target !== list || at < 0) return
    const what = KEYS[event.key]
    const isCommand = event.ctrlKey || event.metaKey
    const next = pickable[at + (event.key === "ArrowUp" ? -1 : 1)]
    if (event.key.startsWith("Arrow") && what && !event.altKey) {
      if (next) pick(list, rows, data, next.place, tell)
    } else if (what && pickable[at].own) tell(what, data.picked)
    else if (event.key === "d" && isCommand && pickable[at].own) tell("duplicate", data.picked)
    else if (event.key === "z" && isCommand) tell(event.shiftKey ? "redo" : "undo", data.picked)
    else if (event.key === "y" && isCommand) tell("redo", data.picked)
    else if (event.key === "Home") pick(list, rows, data, pickable[0].place, tell)
    else if (event.key === "End") pick(list, rows, data, pickable.at(-1).place, tell)
    else return
    event.preventDefault()
  }
}

function pick(list, rows, data, place, tell) {
  data.picked = place
  for (const row of rows) row.setAttribute("aria-selected", String(row.dataset.place === place))
  list.setAttribute("aria-activedescendant", `layer-${place}`)
  tell("pick", place)
}

// Scrolls the list, and only the list, as far as the row needs to be seen.
function show(list, row) {
  if (!row) return
  const above = row.offsetTop - list.scrollTop
  const below = above + row.offsetHeight - list.clientHeight
  if (above < 0) list.scrollTop += above
  else if (below > 0) list.scrollTop += below
}

function head(columns) {
  const row = element("div", "stack-row stack-head")
  row.setAttribute("aria-hidden", "true")
  columns.forEach((title, index) => row.append(element("div", index > 1 ? "stack-cell number" : "stack-cell", title)))
  return row
}

function drawn(row, data, tell) {
  const line = element("div", `stack-row ${row.style}`)
  Object.assign(line.dataset, { place: row.place })
  line.id = `layer-${row.place}`
  line.setAttribute("role", "option")
  line.setAttribute("aria-selected", String(row.place === data.picked))
  line.setAttribute("aria-label", [row.name, row.call, row.shape, row.problem].filter(Boolean).join(", "))
  line.style.marginLeft = `${row.depth * 0.9}rem`
  if (row.colour) line.style.setProperty("--kind", row.colour)

  const name = element("div", "stack-name")
  name.append(element("b", "", row.name), element("span", "stack-small", row.call))
  if (row.own) name.append(tools(row, tell))
  const shape = element("div", "stack-cell shape", row.shape)
  if (row.formula) shape.append(element("div", "stack-small", row.formula))
  line.append(name, shape, ...row.numbers.map((number, index) => cell(number, data.columns[index + 2])))
  if (row.problem) line.append(element("div", "stack-note problem", `✗ ${row.problem}`))
  for (const hint of row.hints) line.append(element("div", "stack-note hint", `△ ${hint}`))

  if (!row.pickable) return line
  line.onclick = () => {
    line.parentElement.focus({ preventScroll: true })
    pick(line.parentElement, [...line.parentElement.querySelectorAll("[role=option]")], data, row.place, tell)
  }
  if (row.own) {
    line.draggable = true
    line.ondragstart = (event) => event.dataTransfer.setData("text/plain", row.place)
  }
  const isLow = (event) => event.clientY > line.getBoundingClientRect().top + line.offsetHeight / 2
  const mark = (over, under) => {
    line.classList.toggle("over", over)
    line.classList.toggle("under", under)
  }
  line.ondragover = (event) => {
    event.preventDefault()
    mark(!isLow(event), isLow(event))
  }
  line.ondragleave = () => mark(false, false)
  line.ondrop = (event) => {
    event.preventDefault()
    mark(false, false)
    tell("move", event.dataTransfer.getData("text/plain"), isLow(event) ? row.after : row.before)
  }
  return line
}

function tools(row, tell) {
  const bar = element("span", "stack-tools")
  for (const [what, sign, title] of TOOLS) {
    const button = element("button", "", sign)
    button.type = "button"
    button.title = title
    button.setAttribute("aria-label", `${title} ${row.name}`)
    button.onclick = (event) => {
      event.stopPropagation()
      tell(what, row.place)
    }
    bar.append(button)
  }
  return bar
}

function cell({ text, share, title }, column) {
  const box = element("div", "stack-cell number")
  box.title = title
  box.append(element("i", "", column), text)
  if (share !== null) {
    const bar = element("div", "stack-bar")
    const part = element("span", "")
    part.style.width = `${(share * 100).toFixed(1)}%`
    bar.append(part)
    box.append(bar)
  }
  return box
}

function element(tag, style, text = "") {
  const made = document.createElement(tag)
  made.className = style
  made.textContent = text
  return made
}
