// Opens the chosen networks in the browser, once for all parts of the page that answer while the pen moves.
export default function ({ data: { networks, kernel } }) {
  const opened = (window.cnnlabNetworks ??= new Map()) // name → promise of a network, null where it computes otherwise here
  for (const name of opened.keys()) if (!(name in networks)) opened.delete(name)
  for (const [name, content] of Object.entries(networks)) {
    if (!opened.has(name)) opened.set(name, penNetwork({ ...content, kernel }))
  }
  window.dispatchEvent(new Event("cnnlab-networks"))
}

async function penNetwork(content) {
  const answers = await openAnswers(content)
  if (!(largestDifference(answers) <= content.tolerance)) return null
  const size = content.program.shapes[0].slice(1)
  return {
    classes: content.classes,
    figures: () => mapFigures(content.program, content.maps),
    value: answers.network.value,
    answer(strokes, pen) {
      const { data, suspicion } = prepareInk(strokeInk(strokes, pen), size)
      return answers.answer(data, suspicion)
    },
  }
}
