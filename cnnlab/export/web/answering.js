// A network with all that it takes along: answers for prepared images, with doubt, and a check against its examples.

// Opens what page.py packed. `kernel` false: plain JavaScript only.
async function openAnswers(data, useKernel = true) {
  const kernel = useKernel ? bytesOf(data.kernel) : null
  const bytes = await unpacked(data.tensors)
  const [own, gateOwn, known, examples] = read(bytes, [data.forms, data.gate?.forms ?? [], data.familiar.forms, data.examples.forms])
  const network = await openNetwork(data.program, own, kernel)
  const gate = data.gate && (await openNetwork(data.gate.program, gateOwn, kernel))
  const [mean, directions, coordinates, rest] = known
  const distance = familiarity({ mean, directions, known: coordinates, rest, count: rest.length, size: mean.length })
  const scale = scaling(data.mean, data.std)
  const gateScale = data.gate && scaling(data.gate.mean, data.gate.std)

  // The answer to an image (channels·rows·columns bytes): the class, all probabilities, and a reason to doubt or "".
  function answer(image, suspicion = "") {
    const logits = network.run(scale(image))
    const probabilities = softmax(logits)
    const best = logits.indexOf(Math.max(...logits))
    const features = network.value(data.program.features).data
    const noDigit = gate ? () => oddsOfLast(gate.run(gateScale(image))) : null
    const familiar = { ...data.familiar, distance }
    const doubt = suspicion || doubtOf({ logits, probabilities, features, classes: data.classes, familiar, noDigit })
    return { class: data.classes[best], probabilities, sure: !doubt, doubt }
  }

  return { answer, network, examples: examplesOf(data, examples) }
}

function read(bytes, groups) {
  let start = 0
  return groups.map((forms) => {
    const { tensors, end } = readTensors(bytes, forms, start)
    start = end
    return tensors
  })
}

// Bytes to a network's input: (byte / 255 − mean) / std of its channel, in 32 bits as the app computes it.
function scaling(mean, std) {
  const tables = mean.map((middle, channel) => {
    const factor = Math.fround(1 / Math.fround(std[channel]))
    const offset = Math.fround(-Math.fround(middle) * factor)
    return Float32Array.from({ length: 256 }, (_, byte) => Math.fround(Math.fround(byte / 255) * factor) + offset)
  })
  return (image) => {
    const plane = image.length / tables.length
    const input = new Float32Array(image.length)
    tables.forEach((table, channel) => {
      for (let at = channel * plane; at < (channel + 1) * plane; at++) input[at] = table[image[at]]
    })
    return input
  }
}

function examplesOf(data, [images, probabilities]) {
  const size = count(data.program.shapes[0])
  return data.examples.labels.map((label, number) => ({
    name: data.classes[label],
    image: images.subarray(number * size, (number + 1) * size),
    expected: probabilities.subarray(number * data.classes.length, (number + 1) * data.classes.length),
  }))
}

// The largest difference of a probability from the expected one, over all examples; NaN counts as infinite.
function largestDifference({ answer, examples }) {
  const differences = examples.flatMap(({ image, expected }) =>
    answer(image).probabilities.map((share, at) => Math.abs(share - expected[at])),
  )
  return differences.reduce((most, difference) => (difference <= most ? most : Number.isNaN(difference) ? Infinity : difference), 0)
}
