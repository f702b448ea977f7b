// A probability as the app writes it: near certainty none is called full.
function percent(share) {
  const told = (100 * share).toFixed(1)
  return told === "100.0" ? "> 99.9%" : `${told}%`
}
