// Which chapters were read, kept in this browser alone; a button marks the one that the page shows.
const KEPT = "cnnlab.learn.read"

export default function ({ data, parentElement, setStateValue }) {
  const button = parentElement.querySelector("button")
  const { chapter, finished, known } = data
  if (finished) remember(new Set([...read(), chapter]))
  show()
  button.onclick = () => {
    const chapters = read()
    if (!chapters.delete(chapter)) chapters.add(chapter)
    remember(chapters)
    show()
  }

  function show() {
    const chapters = read()
    const names = [...chapters].sort()
    button.hidden = !chapter
    button.setAttribute("aria-pressed", chapters.has(chapter))
    button.textContent = chapters.has(chapter) ? "✓ Read" : "Mark as read"
    const told = names.join() // once: of chapters that are no more the page takes no note
    if (told !== known.join() && told !== button.dataset.told) {
      button.dataset.told = told
      setStateValue("read", names)
    }
  }
}

function read() {
  const chapters = keptJson(KEPT, [])
  return new Set(Array.isArray(chapters) ? chapters : [])
}

function remember(chapters) {
  keep(KEPT, JSON.stringify([...chapters]))
}
