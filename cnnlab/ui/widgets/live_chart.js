// A plotly chart that is updated in place: st.plotly_chart mounts anew on each change and loses the zoom.
export default function ({ data, parentElement, setTriggerValue }) {
  const chart = parentElement.querySelector(".live-chart")
  let frame
  if (data.after && ![data.after, data.version].includes(chart.version)) setTriggerValue("missed", true)
  else frame = show(chart, data)
  return () => {
    cancelAnimationFrame(frame) // its own: a later call's stays
    window.Plotly?.purge(chart)
  }
}

// Draws with the next frame: a hidden tab has none, and of several updates only the last is drawn.
function show(chart, data) {
  const isNew = !data.version || data.version !== chart.version // else the theme may be
  if (isNew) chart.figure = completed(JSON.parse(data.figure), chart.figure)
  chart.version = data.version
  cancelAnimationFrame(chart.frame)
  chart.frame = requestAnimationFrame(() =>
    draw(chart, data, chart.figure, { displayModeBar: false }).catch((error) => {
      chart.textContent = error.message
    }),
  )
  return chart.frame
}

// Puts the points that an update leaves out before its own.
function completed({ data: lines, layout }, before) {
  const whole = ({ kept, ...line }, place) => {
    const joined = (axis) => [...before.data[place][axis].slice(0, kept), ...line[axis]]
    return kept ? { ...line, x: joined("x"), y: joined("y") } : line
  }
  return { data: lines.map(whole), layout }
}
