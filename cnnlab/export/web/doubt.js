// Reasons to doubt an answer, as in the app: it looks like no digit, lies far from all training images, fits no class
// well, or is torn between two.
const GATE_BOUND = 3.5 // log-odds of "no digit"
const NEIGHBOURS = 10
const REASONS = {
  digit: "this looks like no digit",
  far: "unlike anything it learned from",
  faint: "no class fits it well",
  torn: (first, second) => `torn between ${first} and ${second}`,
}

const isNone = (name) => name.toLowerCase() === "none" // a class of all that is none of the others

// The first reason to doubt; empty if there is none. familiar: { far, faint, torn, distance }; noDigit() gives the gate's
// log-odds, or is missing.
function doubtOf({ logits, probabilities, features, classes, familiar, noDigit }) {
  const order = probabilities.map((_, at) => at).sort((at, other) => logits[other] - logits[at])
  if (isNone(classes[order[0]])) return ""
  if (noDigit && noDigit() > GATE_BOUND) return REASONS.digit
  if (familiar.distance(features) > familiar.far) return REASONS.far
  if (familiar.faint !== null && logits[order[0]] < familiar.faint) return REASONS.faint
  if (entropy(probabilities) > familiar.torn) return REASONS.torn(classes[order[0]], classes[order[1]])
  return ""
}

function entropy(probabilities) {
  return probabilities.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0)
}

// The gate's log-odds that an image is no digit: its last logit against all others.
function oddsOfLast(logits) {
  const others = Array.from(logits.subarray(0, -1))
  const largest = Math.max(...others)
  return logits[logits.length - 1] - largest - Math.log(others.reduce((sum, logit) => sum + Math.exp(logit - largest), 0))
}

// Distances to training images among features of unit length. Both lie in the few directions in which training images
// differ most; what sticks out of them at right angles is known by its length only.
function familiarity({ mean, directions, known, rest, count, size }) {
  const dimensions = directions.length / size
  return function distance(features) {
    const length = Math.max(Math.sqrt(features.reduce((sum, value) => sum + value * value, 0)), 1e-12)
    const centred = features.map((value, at) => value / length - mean[at])
    const placed = new Float64Array(dimensions)
    for (let way = 0; way < dimensions; way++)
      for (let at = 0; at < size; at++) placed[way] += directions[way * size + at] * centred[at]
    const total = centred.reduce((sum, value) => sum + value * value, 0)
    const out = Math.max(0, total - placed.reduce((sum, value) => sum + value * value, 0))
    const squares = new Float64Array(count)
    for (let image = 0; image < count; image++) {
      let square = out + rest[image]
      for (let way = 0, at = image * dimensions; way < dimensions; way++, at++) square += (placed[way] - known[at]) ** 2
      squares[image] = square
    }
    return Math.sqrt(Math.max(0, squares.sort()[Math.min(NEIGHBOURS, count) - 1]))
  }
}
