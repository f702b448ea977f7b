// Points in two or three dimensions that stand for images: hovering shows one, a click tells its number, a loop around
// some tells theirs.
const EVENTS = ["plotly_hover", "plotly_unhover", "plotly_click", "plotly_selected"]

export default function ({ data, parentElement, setTriggerValue }) {
  const chart = parentElement.querySelector(".point-cloud")
  const card = parentElement.querySelector(".point-cloud-image")
  const { url, width, height, columns, zoom } = data.sprites
  Object.assign(card.style, {
    width: `${width * zoom}px`,
    height: `${height * zoom}px`,
    backgroundImage: `url(${url})`,
    backgroundSize: `${columns * width * zoom}px auto`,
  })

  function show({ points: [point] }) {
    const number = point.customdata
    card.style.backgroundPosition = `${-(number % columns) * width * zoom}px ${-Math.floor(number / columns) * height * zoom}px`
    card.hidden = false
  }
  function follow(event) {
    const box = chart.getBoundingClientRect()
    const left = event.clientX - box.left
    card.style.left = `${left > box.width / 2 ? left - width * zoom - 16 : left + 16}px`
    card.style.top = `${Math.max(0, event.clientY - box.top - height * zoom - 16)}px`
  }
  function hide() {
    card.hidden = true
  }

  function choose(event) {
    if (event?.points.length) setTriggerValue("looped", event.points.map((point) => point.customdata))
  }

  draw(chart, data, JSON.parse(data.figure), { toImageButtonOptions: { filename: data.filename, scale: 2 } })
    .then(() => {
      for (const name of EVENTS) chart.removeAllListeners(name)
      if (chart.layout.selections?.length) window.Plotly.relayout(chart, { selections: [] }) // the points show it
      chart.on("plotly_selected", choose)
      chart.on("plotly_hover", show)
      chart.on("plotly_unhover", hide)
      chart.on("plotly_click", ({ points: [point] }) => setTriggerValue("clicked", point.customdata))
      chart.onmousemove = follow
      chart.onmouseleave = hide
    })
    .catch((error) => {
      chart.textContent = error.message
    })
  return () => window.Plotly?.purge(chart)
}
