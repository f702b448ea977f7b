// What is answered to a camera's picture: what it says, how sure it is or why to doubt it, and a bar for each class.
function answerCard({ title, said, doubt, sure, bars }) {
  const box = element("div", doubt ? "live-card doubted" : "live-card")
  if (title) box.append(element("div", "live-title", title))
  box.append(element("div", "live-said", said), element("div", "live-doubt", doubt || sure))
  for (const { name, share } of bars) box.append(bar(name, share))
  return box
}

function bar(name, share) {
  const row = element("div", "live-row")
  const track = element("div", "live-track")
  const filled = element("div", "live-filled")
  filled.style.width = `${(100 * share).toFixed(1)}%`
  track.append(filled)
  const label = element("div", "live-name", name)
  label.title = name // which may be cut
  row.append(label, track, element("div", "live-share", `${(100 * share).toFixed(0)}%`))
  return row
}
