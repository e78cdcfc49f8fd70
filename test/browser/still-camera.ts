/** A camera that sees a QR code all the time: a film of one picture for Chromium, and how to know the picture again. */
import { writeFileSync } from 'node:fs'
import { create } from 'qrcode'

const WIDTH = 640
const HEIGHT = 480
/** Pixels of a module. */
export const DOT = 8
/** Of the picture, in modules. */
export const RIM = 2
const WHITE = 235
const BLACK = 16
const GREY = 128
const FRAMES = 2

/** Which modules are dark, row by row, and where in the picture their middles are. */
export interface Picture {
  readonly dark: readonly boolean[]
  readonly middles: readonly (readonly [x: number, y: number])[]
}

/** Writes a film (YUV4MPEG2) of the code of `text`. */
export function filmCode(text: string, file: string): Picture {
  const { modules } = create(text, { errorCorrectionLevel: 'L' })
  const { size, data } = modules
  if ((size + 2 * RIM) * DOT > HEIGHT) throw new RangeError('the code is too large for the film')
  const luma = Buffer.alloc(WIDTH * HEIGHT, WHITE)
  const dark: boolean[] = []
  const middles: (readonly [number, number])[] = []
  for (let at = 0; at < size * size; at++) {
    const [x, y] = [(RIM + (at % size)) * DOT, (RIM + Math.floor(at / size)) * DOT]
    dark.push(Boolean(data[at]))
    middles.push([x + DOT / 2, y + DOT / 2])
    if (!data[at]) continue
    for (let row = y; row < y + DOT; row++) luma.fill(BLACK, row * WIDTH + x, row * WIDTH + x + DOT)
  }
  const frame = Buffer.concat([
    Buffer.from('FRAME\n'),
    luma,
    Buffer.alloc((WIDTH * HEIGHT) / 2, GREY),
  ])
  const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`)
  writeFileSync(file, Buffer.concat([head, ...Array.from({ length: FRAMES }, () => frame)]))
  return { dark, middles }
}

/**
 * A script that puts a detector where the browser has none: it knows the codes of `pictures` by their modules, at the
 * size at which they were filmed, and nothing else; none in the film while \`blind\`. Chromium on Linux has a `BarcodeDetector` without formats, or none.
 */
export const detectorOf = (pictures: readonly (readonly [text: string, Picture])[]): string => `{
  const pictures = ${JSON.stringify(pictures)}
  globalThis.BarcodeDetector = class {
    static getSupportedFormats = async () => ['qr_code']
    async detect(source) {
      if (globalThis.blind && 'videoWidth' in source) return []
      const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height]
      const canvas = new OffscreenCanvas(width, height)
      const context = canvas.getContext('2d')
      context.drawImage(source, 0, 0)
      const { data } = context.getImageData(0, 0, width, height)
      const isDark = ([x, y]) => data[4 * (y * width + x)] < 128
      return pictures
        .filter(([, { dark, middles }]) => middles.every((at, n) => isDark(at) === dark[n]))
        .map(([rawValue]) => ({ rawValue }))
    }
  }
}`
