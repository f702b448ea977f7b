// A plotly chart that is updated in place: st.plotly_chart mounts anew on each change and loses the zoom.
export default function ({ data, parentElement }) {
  const chart = parentElement.querySelector(".live-chart")
  draw(chart, data, { displayModeBar: false }).catch((error) => {
    chart.textContent = error.message
  })
  return () => window.Plotly?.purge(chart)
}
