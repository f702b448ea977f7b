// The camera's picture, named again and again: the next picture is sent when the last one's answer is here.
const WIDTH = 320 // pixels of the camera's picture
const PER_SECOND = 12 // pictures at most
const PATIENCE = 3000 // ms without an answer, after which the next picture is sent anyway
const AVERAGED = 20 // answers whose mean pace is shown
const SPOKEN = 1500 // ms between two answers that a screen reader is told

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".live")
  root.live ??= live(root)
  root.live.receive(data, setTriggerValue)
  return root.live.close
}

function live(root) {
  const part = (name) => root.querySelector(`.${name}`)
  const source = cameraIn(root, WIDTH, changed)
  const page = pageAround(() => send("page", true))
  const times = [] // of the last answers
  let data, send, timer
  let number = 0 // of the last picture sent
  let sentAt = 0
  let spokenAt = 0

  function changed(isOn) {
    clearTimeout(timer)
    times.length = 0
    if (isOn) sendNext()
    else show([])
  }

  function sendNext() {
    if (!source.isOn()) return
    const frame = page.isQuiet() && source.square(data.side)
    if (frame) {
      number += 1
      sentAt = performance.now()
      page.sending()
      send("frame", { number, frame })
    }
    timer = setTimeout(sendNext, frame ? PATIENCE : 1000 / PER_SECOND)
  }

  function receive(given, sender) {
    data = given
    send = sender
    if (!source.isOn() || data.number !== number || data.number === times.number) return
    times.number = number
    times.push(performance.now())
    if (times.length > AVERAGED) times.shift()
    show(data.answers)
    clearTimeout(timer)
    timer = setTimeout(sendNext, Math.max(0, sentAt + 1000 / PER_SECOND - performance.now()))
  }

  function show(answers) {
    part("live-answers").replaceChildren(...answers.map(answerCard))
    const seconds = (times.at(-1) - times[0]) / 1000
    part("live-pace").textContent = times.length > 2 ? `${((times.length - 1) / seconds).toFixed(1)} answers a second` : ""
    if (answers.length && performance.now() - spokenAt > SPOKEN) {
      spokenAt = performance.now()
      part("live-spoken").textContent = answers.map(({ said, doubt }) => `${said} ${doubt}`).join("; ")
    }
  }

  function close() {
    source.close()
    page.close()
  }

  return { receive, close }
}
