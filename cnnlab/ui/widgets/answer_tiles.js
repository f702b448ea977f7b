// Small images with the answer to each, updated in place so that the bars move instead of blinking.
export default function ({ data, parentElement }) {
  const list = parentElement.querySelector(".tiles")
  list.setAttribute("aria-label", data.label)
  while (list.children.length > data.tiles.length) list.lastChild.remove()
  data.tiles.forEach((tile, number) => show(list.children[number] ?? list.appendChild(blank()), tile))
}

function blank() {
  const tile = document.createElement("li")
  tile.className = "tile"
  tile.innerHTML =
    '<img><div class="said"><span class="named"></span><span class="share"></span></div>' +
    '<div class="track"><div class="filled"></div></div><div class="truth"></div>'
  return tile
}

function show(tile, { image, truth, answer, share, told }) {
  const part = (name) => tile.querySelector(`.${name}`)
  const picture = tile.querySelector("img")
  if (picture.src !== image) picture.src = image
  picture.alt = truth
  picture.onload = () => tile.classList.toggle("photo", picture.naturalWidth > tile.clientWidth)
  const isRight = answer === truth
  tile.classList.toggle("right", answer !== null && isRight)
  tile.classList.toggle("wrong", answer !== null && !isRight)
  tile.title = answer === null ? truth : `${answer}, ${told}`
  part("named").textContent = answer ?? "–"
  part("share").textContent = told
  part("filled").style.transform = `scaleX(${share.toFixed(2)})` // what cannot be seen does not move
  part("truth").textContent = answer === null || isRight ? "" : `is ${truth}`
}
