// The camera behind a <video>: say(text) shows an error, changed(isOn) follows on and off.
const REFUSALS = {
  NotAllowedError: "The browser does not let this page use the camera. Allow it with the sign in the address bar, then turn it on again.",
  NotFoundError: "No camera was found. Connect one, then turn it on again.",
  NotReadableError: "Another program uses the camera. Close that program, then turn it on again.",
}
const INSECURE = "This browser gives the camera only to pages from https:// or from this computer. Choose a picture instead."

function cameraOf(video, say, changed) {
  let stream = null

  async function open() {
    say("")
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw new DrawingError(INSECURE)
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: "environment" } } })
      stream.getVideoTracks()[0].onended = close
      video.srcObject = stream
      await video.play()
      changed(true)
    } catch (error) {
      close()
      say(error instanceof DrawingError ? error.message : REFUSALS[error.name] ?? `The camera cannot be used: ${error.message}`)
    }
  }

  function close() {
    if (!stream) return
    for (const track of stream.getTracks()) track.stop()
    stream = video.srcObject = null
    changed(false)
  }

  // The middle square of what the camera shows; null before it shows any.
  function square(side) {
    const { videoWidth, videoHeight } = video
    if (!stream || !videoWidth) return null
    const edge = Math.min(videoWidth, videoHeight)
    return pixelsOf(video, side, side, [(videoWidth - edge) / 2, (videoHeight - edge) / 2, edge, edge])
  }

  return { open, close, square, isOn: () => stream !== null }
}
