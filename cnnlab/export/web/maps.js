// Feature maps of a network's layers, painted.
const MOST_MAPS = 16
const GRID = 8 // maps in a row
const CELL = 32 // dots that a small map is enlarged to at the most

function element(tag, style = "", text = "") {
  const made = document.createElement(tag)
  if (style) made.className = style
  made.textContent = text
  return made
}

// A figure for each layer to show: its name, the size of its maps, and a sheet that the maps are painted on.
function mapFigures(program, names) {
  return names.map((name) => {
    const number = program.layers[name]
    const [channels, height, width] = program.shapes[number]
    const shown = Math.min(channels, MOST_MAPS)
    const figure = element("figure", "maps")
    const sheet = element("canvas")
    const zoom = Math.max(1, Math.floor(CELL / Math.max(width, height)))
    sheet.width = Math.min(shown, GRID) * (zoom * width + 1) - 1
    sheet.height = Math.ceil(shown / GRID) * (zoom * height + 1) - 1
    sheet.setAttribute("role", "img")
    sheet.setAttribute("aria-label", `Feature maps of ${name}`)
    const caption = element("figcaption")
    const more = channels > shown ? `${shown} of ${channels} maps` : `${channels} ${channels === 1 ? "map" : "maps"}`
    caption.append(element("strong", "", name), ` ${more}, ${height}×${width}`)
    figure.append(caption, sheet)
    return { figure, sheet, number, shown, zoom }
  })
}

// Paints maps: zero looks like the page, the largest number of the layer has the full colour.
function paintMaps({ sheet, shown, zoom }, { data, shape: [, height, width] }, [ground, positive, negative]) {
  const pen = sheet.getContext("2d")
  const image = pen.createImageData(sheet.width, sheet.height)
  const size = height * width
  let most = 0
  for (let at = 0; at < shown * size; at++) most = Math.max(most, Math.abs(data[at]))
  for (let map = 0; map < shown; map++) {
    const [top, left] = [Math.floor(map / GRID) * (zoom * height + 1), (map % GRID) * (zoom * width + 1)]
    for (let row = 0; row < zoom * height; row++)
      for (let column = 0; column < zoom * width; column++) {
        const value = most ? data[map * size + Math.floor(row / zoom) * width + Math.floor(column / zoom)] / most : 0
        const colour = value < 0 ? negative : positive
        const to = 4 * ((top + row) * sheet.width + left + column)
        for (let band = 0; band < 3; band++) image.data[to + band] = ground[band] + (colour[band] - ground[band]) * Math.abs(value)
        image.data[to + 3] = 255
      }
  }
  pen.putImageData(image, 0, 0)
}
