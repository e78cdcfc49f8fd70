/** Reads QR codes by what the browser has for it; says in words where it has nothing. */

/** The camera's pictures are looked at so often, in milliseconds. */
const EVERY_MS = 150

/** Why no code can be read, in a sentence. */
export class CannotScan extends Error {
  /** Whether a picture of the code would do. */
  readonly pictures: boolean

  constructor(message: string, { pictures = false } = {}) {
    super(message)
    this.pictures = pictures
  }
}

/** Rejects with `CannotScan`. */
async function openDetector(): Promise<BarcodeDetector> {
  if (!isSecureContext) {
    throw new CannotScan(
      'Browsers give the camera to pages over TLS and at localhost only. Paste the phrase instead.',
    )
  }
  const Detector = typeof BarcodeDetector === 'undefined' ? undefined : BarcodeDetector
  const formats = (await Detector?.getSupportedFormats()) ?? []
  if (!Detector || !formats.includes('qr_code')) {
    throw new CannotScan(
      'This browser reads no QR codes. Paste the phrase instead, or open the console in Chrome on a phone.',
    )
  }
  return new Detector({ formats: ['qr_code'] })
}

/**
 * Shows the camera in `video` and gives each code that it sees to `on`, until that returns true or `signal` is aborted;
 * then the camera is off. Rejects with `CannotScan`.
 */
export async function scan(
  video: HTMLVideoElement,
  on: (text: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const detector = await openDetector()
  const stream = await openCamera()
  const stop = () => stream.getTracks().forEach((track) => track.stop())
  signal.addEventListener('abort', stop)
  try {
    video.srcObject = stream
    if (!signal.aborted) await video.play()
    while (!signal.aborted) {
      const codes = await detector.detect(video)
      if (codes.some(({ rawValue }) => on(rawValue))) return
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
    video.srcObject = null
  }
}

/** Gives each code in a picture to `on`; resolves with whether that returned true. Rejects with `CannotScan`. */
export async function readPicture(file: Blob, on: (text: string) => boolean): Promise<boolean> {
  const detector = await openDetector()
  const picture = await createImageBitmap(file).catch(() => {
    throw new CannotScan('This file is no picture that the browser knows.', { pictures: true })
  })
  const codes = await detector.detect(picture)
  picture.close()
  return codes.some(({ rawValue }) => on(rawValue))
}

async function openCamera(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
  } catch (reason) {
    const name = reason instanceof DOMException ? reason.name : ''
    const text = REASONS.get(name) ?? 'The camera cannot be used. Paste the phrase instead.'
    throw new CannotScan(text, { pictures: true })
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  [
    'NotAllowedError',
    'The browser does not let this page use the camera. Allow it beside the address, or paste the phrase.',
  ],
  ['NotFoundError', 'There is no camera here. Paste the phrase instead.'],
  ['NotReadableError', 'Another program has the camera. End that, or paste the phrase.'],
])
