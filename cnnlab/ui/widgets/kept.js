// What this browser alone keeps, by name; null where it keeps nothing.
function kept(name) {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function keep(name, text) {
  try {
    localStorage.setItem(name, text)
  } catch {
    // the browser keeps nothing
  }
}

function keptJson(name, otherwise) {
  try {
    return JSON.parse(kept(name)) ?? otherwise
  } catch {
    return otherwise // damaged
  }
}
