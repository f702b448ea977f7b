// Tells when a training ends: a notification where the page is hidden, and a sound. This browser alone keeps whether.
const KEPT = "cnnlab.end-notice"
const NOTES = [[0, 660], [0.16, 880]] // seconds, Hz
const running = new Set() // ids of trainings that this page has seen running

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button")
  for (const { id, running: runs, head, text } of data.trainings) {
    if (runs) running.add(id)
    else if (running.delete(id) && head && isOn()) tell(id, head, text)
  }
  show()
  button.onclick = async () => {
    keep(KEPT, isOn() ? "off" : "on")
    show()
    if (!isOn()) return
    chime() // what it will sound like
    if (window.Notification?.permission === "default") await Notification.requestPermission()
    show()
  }

  function show() {
    const isTold = window.Notification?.permission === "granted"
    const how = isTold ? "You will be told when it ends" : "A sound will tell you when it ends"
    button.hidden = !data.trainings.some((training) => training.running)
    button.setAttribute("aria-pressed", isOn())
    button.textContent = isOn() ? `✓ ${how}` : "Tell me when it ends"
    button.title = isOn() && !isTold ? "This browser shows no notifications of this page." : ""
  }
}

function tell(id, head, body) {
  chime()
  if (!document.hidden || window.Notification?.permission !== "granted") return
  try {
    const notice = new Notification(head, { body, tag: id }) // of two pages, one is shown
    notice.onclick = () => window.focus()
  } catch {
    // a phone's browser shows none of a page's own
  }
}

function chime() {
  if (!window.AudioContext) return
  const audio = new AudioContext()
  for (const [after, pitch] of NOTES) {
    const start = audio.currentTime + after
    const tone = new OscillatorNode(audio, { frequency: pitch })
    const volume = new GainNode(audio, { gain: 0.12 })
    volume.gain.setTargetAtTime(0, start + 0.1, 0.05)
    tone.connect(volume).connect(audio.destination)
    tone.start(start)
    tone.stop(start + 0.4)
    tone.onended = () => after && audio.close() // the last one
  }
}

function isOn() {
  return kept(KEPT) === "on"
}
