// Which chapters were read, kept in this browser alone; a button marks the one that the page shows.
const KEPT = "cnnlab.learn.read"

export default function ({ data, parentElement, setStateValue }) {
  const button = parentElement.querySelector("button")
  const { chapter, finished, known } = data
  if (finished) keep(new Set([...kept(), chapter]))
  show()
  button.onclick = () => {
    const read = kept()
    if (!read.delete(chapter)) read.add(chapter)
    keep(read)
    show()
  }

  function show() {
    const read = kept()
    const names = [...read].sort()
    button.hidden = !chapter
    button.setAttribute("aria-pressed", read.has(chapter))
    button.textContent = read.has(chapter) ? "✓ Read" : "Mark as read"
    const told = names.join() // once: of chapters that are no more the page takes no note
    if (told !== known.join() && told !== button.dataset.told) {
      button.dataset.told = told
      setStateValue("read", names)
    }
  }
}

function kept() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEPT)) ?? [])
  } catch {
    return new Set() // damaged, or the browser keeps nothing
  }
}

function keep(read) {
  try {
    localStorage.setItem(KEPT, JSON.stringify([...read]))
  } catch {
    // the browser keeps nothing
  }
}
