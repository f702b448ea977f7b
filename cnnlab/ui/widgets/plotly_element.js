// What our plotly components share: the script, loaded once, and the colours of the app's theme.
let loading

function loadPlotly(file) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = new URL(`app/static/${file}`, document.baseURI).href
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => reject(new Error("the chart script did not load; reload the page"))
    document.head.append(script)
  })
  return loading
}

function themed(layout, element) {
  const style = getComputedStyle(element)
  const colour = (name) => style.getPropertyValue(name).trim()
  const axis = { gridcolor: colour("--st-border-color-light") || colour("--st-border-color"), zeroline: false, automargin: true }
  return {
    ...layout,
    template: null,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--st-text-color"), activecolor: colour("--st-primary-color") },
    font: { family: colour("--st-font"), color: colour("--st-text-color"), size: 12 },
    xaxis: { ...layout.xaxis, ...axis },
    yaxis: { ...layout.yaxis, ...axis },
  }
}

// Plotly heeds the window's size, not that of a column which narrows.
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.data && target.offsetParent) window.Plotly.Plots.resize(target)
  }
})

// Draws or updates in place; zoom and camera survive as long as data.revision stays the same.
function draw(chart, data, { data: traces, layout }, options) {
  chart.setAttribute("aria-label", data.alt)
  chart.setAttribute("role", "figure") // its tools are buttons
  chart.style.height = `${data.height}px`
  resized.observe(chart)
  return loadPlotly(data.script).then((Plotly) =>
    Plotly.react(chart, traces, { ...themed(layout, chart), uirevision: data.revision }, {
      displaylogo: false,
      ...options,
    }),
  )
}
