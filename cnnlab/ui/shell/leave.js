// Have the server give this browser another key, then start over: a new session knows nothing of who has left.
export default async () => {
  await fetch("./leave", { method: "POST" })
  location.replace("./")
}
