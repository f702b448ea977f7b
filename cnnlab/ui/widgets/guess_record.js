// The reader's guesses, kept in this browser alone: adds what the page scored, says what is kept, and clears it.
const KEPT = "cnnlab.guesses"

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".guess-record")
  const { known, added, habit, told, most, longest } = data
  const { habit: habitBefore, scored } = read(longest)
  const fresh = added.filter(({ id }) => !scored.some((one) => one.id === id))
  if (fresh.length || (habit && habit !== habitBefore) || isTooLong(longest)) {
    write(habit || habitBefore, [...scored, ...fresh].slice(-most))
  }
  root.hidden = !told
  root.querySelector("p").textContent = told
  root.querySelector("button").onclick = () => {
    write(habit || habitBefore, [])
    setTriggerValue("cleared", true)
  }
  const text = kept(KEPT) ?? ""
  if (text !== known && text !== root.dataset.said) { // once: what is no record the page reads as none
    root.dataset.said = text
    setStateValue("kept", text)
  }
}

function isTooLong(longest) {
  return (kept(KEPT) ?? "").length > longest
}

function read(longest) { // the page reads nothing longer: it would never be cleared
  const { habit, scored } = isTooLong(longest) ? {} : keptJson(KEPT, {})
  return { habit: habit === "guess" || habit === "show" ? habit : "", scored: Array.isArray(scored) ? scored.filter(isScore) : [] }
}

function isScore(one) {
  return typeof one?.id === "string" && one.id.length === 16 && Object.keys(one).length <= 4
}

function write(habit, scored) {
  keep(KEPT, JSON.stringify({ habit, scored }))
}
