// What our components with a camera share: it is opened and closed, and its picture is cut to a small square.
const INSECURE =
  "Browsers give the camera only to pages from https:// or from this computer. Open the app at http://localhost, or ask the administrator to serve it over HTTPS."
const REFUSALS = {
  NotAllowedError: "The browser does not let this page use the camera. Allow it with the sign in the address bar, then turn it on again.",
  NotFoundError: "No camera was found. Connect one, then turn it on again.",
  NotReadableError: "Another program uses the camera. Close that program, then turn it on again.",
}
const LOST = "The camera is gone. Connect it, then turn it on again."
const FRAME_RATE = 15 // pictures a second: more are not used
const QUALITY = 0.85 // of JPEG
const USES = ["pointerdown", "pointerup", "click", "keydown", "input", "change", "focusout", "drop"]
const MOMENT = 50 // ms by which Streamlit has sent what a click changed

// A camera of about that width in pixels behind a <video>; say(text) shows an error, and nothing where all is well; changed() follows on and off.
function camera(video, width, say, changed) {
  const sheet = document.createElement("canvas")
  let stream = null
  let isWanted = false

  const leave = () => close()

  async function open() {
    say("")
    isWanted = true
    window.addEventListener("pagehide", leave)
    try {
      const found = await asked(width)
      if (!isWanted) return release(found) // left while the browser asked
      stream = found
      stream.getVideoTracks()[0].onended = () => close(LOST)
      video.srcObject = stream
      await video.play()
    } catch (error) {
      close(error.told ?? REFUSALS[error.name] ?? `The camera cannot be used: ${error.message}`)
    }
    changed()
  }

  function close(why = "") {
    isWanted = false
    window.removeEventListener("pagehide", leave)
    release(stream)
    stream = video.srcObject = null
    say(why)
    changed()
  }

  // The middle square of what the camera shows, as the base64 of a JPEG of side × side pixels; null before it shows any.
  function square(side) {
    const { videoWidth, videoHeight } = video
    if (!stream || !videoWidth) return null
    const cut = Math.min(videoWidth, videoHeight)
    sheet.width = sheet.height = side
    sheet.getContext("2d").drawImage(video, (videoWidth - cut) / 2, (videoHeight - cut) / 2, cut, cut, 0, 0, side, side)
    return sheet.toDataURL("image/jpeg", QUALITY).split(",")[1]
  }

  return { open, close, square, isOn: () => stream !== null }
}

// The camera of a component, with its view, its switch and its errors; changed(isOn) follows on and off.
function cameraIn(root, width, changed) {
  const [view, error, button] = [".camera-view", ".camera-error", ".camera-switch"].map((name) => root.querySelector(name))
  const video = view.querySelector("video")
  const source = camera(video, width, (text) => { error.textContent = text }, () => {
    const isOn = source.isOn()
    video.hidden = !isOn
    view.querySelector(".camera-hint").hidden = isOn
    button.textContent = isOn ? "Turn the camera off" : "Turn the camera on"
    changed(isOn)
  })
  button.onclick = () => (source.isOn() ? source.close() : source.open())
  return source
}

// Streamlit gathers what changes at one moment into one message, and reruns for it the fragment of any part of it: what
// is clicked elsewhere on the page as a picture is sent would be lost. So none is sent while the page is being used,
// and clash() is called where it is used before a picture has left.
function pageAround(clash) {
  let usedAt = -Infinity
  let isSending = false
  const note = () => {
    usedAt = performance.now()
    if (isSending) clash()
  }
  for (const use of USES) window.addEventListener(use, note, true)
  return {
    isQuiet: () => performance.now() - usedAt > MOMENT,
    sending() {
      isSending = true
      setTimeout(() => { isSending = false }, 0) // after Streamlit's own, by which the picture leaves
    },
    close: () => USES.forEach((use) => window.removeEventListener(use, note, true)),
  }
}

async function asked(width) {
  if (!navigator.mediaDevices?.getUserMedia) throw Object.assign(new Error(INSECURE), { told: INSECURE })
  return navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { width: { ideal: width }, frameRate: { ideal: FRAME_RATE }, facingMode: { ideal: "environment" } },
  })
}

function release(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.onended = null
    track.stop()
  }
}

function element(tag, style, text = "") {
  const made = document.createElement(tag)
  made.className = style
  made.textContent = text
  return made
}
