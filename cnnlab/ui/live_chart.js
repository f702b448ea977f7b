// A plotly chart that is updated in place: st.plotly_chart mounts anew on each change and loses the zoom.
export default function ({ data, parentElement }) {
  const chart = parentElement.querySelector(".live-chart")
  chart.setAttribute("aria-label", data.alt)
  chart.setAttribute("role", "img")
  chart.style.height = `${data.height}px`
  const { data: traces, layout } = JSON.parse(data.figure)
  loadPlotly(data.script)
    .then((Plotly) =>
      Plotly.react(chart, traces, { ...themed(layout, chart), uirevision: data.revision }, {
        responsive: true,
        displaylogo: false,
        displayModeBar: false,
      }),
    )
    .catch((error) => {
      chart.textContent = error.message
    })
  return () => window.Plotly?.purge(chart)
}
