// The feature maps of the network that answered last, painted while the pen moves.
export default function ({ parentElement }) {
  const root = parentElement.querySelector(".pen-maps")
  root.pen ??= penMaps(root)
  return root.pen.close
}

function penMaps(root) {
  let shown = null
  let figures = []
  window.addEventListener("cnnlab-answered", paint)

  function paint({ detail: { network, isBlank } }) {
    if (network !== shown) {
      shown = network
      figures = network.figures()
      root.replaceChildren(...figures.map(({ figure }) => figure))
    }
    const colours = coloursOf(root)
    for (const figure of figures) {
      if (isBlank) figure.sheet.getContext("2d").clearRect(0, 0, figure.sheet.width, figure.sheet.height)
      else paintMaps(figure, network.value(figure.number), colours)
    }
  }

  return { close: () => window.removeEventListener("cnnlab-answered", paint) }
}

// The colours of zero, of positive and of negative numbers, as the theme has them: zero looks like the page.
function coloursOf(root) {
  const names = ["background-color", "color", "border-left-color"] // of the box, see its style
  const style = getComputedStyle(root)
  return names.map((name) => style.getPropertyValue(name).match(/[\d.]+/g).slice(0, 3).map(Number))
}
