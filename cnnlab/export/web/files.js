// Reads picture files: their size is bounded before they are decoded.
const MAX_BYTES = 50_000_000
const MAX_PIXELS = 7168 * 7168
const ENOUGH = 2048 // pixels a side: larger pictures are made smaller
const UNREADABLE = "The file is no picture that this browser can read. Save it as PNG or JPEG."

// The pixels { width, height, bands } of a picture file. Throws DrawingError with a sentence.
async function readPicture(file) {
  if (!file.size) throw new DrawingError("The file is empty.")
  if (file.size > MAX_BYTES) throw new DrawingError(`The file is larger than ${MAX_BYTES / 1_000_000} MB.`)
  const told = sizeOf(new DataView(await file.slice(0, 300_000).arrayBuffer()))
  if (told) checkPixels(...told)
  let bitmap
  try {
    bitmap = await createImageBitmap(file)
  } catch {
    throw new DrawingError(UNREADABLE)
  }
  checkPixels(bitmap.width, bitmap.height)
  const scale = Math.min(1, ENOUGH / Math.max(bitmap.width, bitmap.height))
  const picture = pixelsOf(bitmap, Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)))
  bitmap.close()
  return picture
}

function checkPixels(width, height) {
  if (width * height > MAX_PIXELS) throw new DrawingError(`The picture has ${width}×${height} pixels: choose one of 7168×7168 at the most.`)
}

// The picture of something that a canvas can draw, a part of it [left, top, width, height] if given.
function pixelsOf(source, width, height, part = null) {
  const sheet = document.createElement("canvas")
  sheet.width = width
  sheet.height = height
  const pen = sheet.getContext("2d", { willReadFrequently: true })
  pen.imageSmoothingQuality = "high"
  if (part) pen.drawImage(source, ...part, 0, 0, width, height)
  else pen.drawImage(source, 0, 0, width, height)
  return pictureOf(width, height, pen.getImageData(0, 0, width, height).data)
}

// [width, height] from the head of a PNG, GIF, BMP, JPEG or WebP; null where it does not say.
function sizeOf(head) {
  if (head.byteLength < 32) return null
  if (head.getUint32(0) === 0x89504e47) return [head.getUint32(16), head.getUint32(20)]
  if (head.getUint32(0) === 0x47494638) return [head.getUint16(6, true), head.getUint16(8, true)]
  if (head.getUint16(0) === 0x424d) return [Math.abs(head.getInt32(18, true)), Math.abs(head.getInt32(22, true))]
  if (head.getUint32(0) === 0x52494646 && head.getUint32(12) === 0x56503858)
    return [24, 27].map((at) => 1 + head.getUint16(at, true) + (head.getUint8(at + 2) << 16))
  return head.getUint16(0) === 0xffd8 ? jpegSize(head) : null
}

function jpegSize(head) {
  for (let at = 2; at + 9 < head.byteLength; at += 2 + head.getUint16(at + 2)) {
    const marker = head.getUint8(at + 1)
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (head.getUint8(at) !== 0xff) return null
    if (isFrame) return [head.getUint16(at + 7), head.getUint16(at + 5)]
  }
  return null
}
