// Names the canvas, which is deep in another component, for those who do not see it; it is made anew now and then.
const MADE = { childList: true, subtree: true }

export default function ({ data }) {
  const box = document.querySelector(`.${data.box}`)
  const watched = new MutationObserver(label)

  function label() {
    for (const root of [...box.querySelectorAll("*")].map((element) => element.shadowRoot ?? element)) {
      if (root instanceof ShadowRoot) watched.observe(root, MADE)
      for (const canvas of root.querySelectorAll("canvas.upper-canvas:not([role])")) {
        canvas.setAttribute("role", "img")
        canvas.setAttribute("aria-label", data.label)
      }
    }
  }

  if (!box) return
  watched.observe(box, MADE)
  label()
  return () => watched.disconnect()
}
