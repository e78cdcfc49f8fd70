/** A camera that is on while one wants it, and a picture in its place. */
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { CannotScan, readPicture, scan } from '../camera.ts'

interface ScanProps {
  /** What the code is of, as in `Scan the QR code of …`. */
  readonly of: string
  /** Takes what a code says; returns whether that was what is looked for. */
  readonly onCode: (text: string) => boolean
}

export function Scan({ of, onCode }: ScanProps) {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const take = (text: string) => {
    const taken = onCode(text)
    if (taken) {
      setOpen(false)
      // What had it goes.
      button.current?.focus()
    }
    return taken
  }
  return (
    <div class="scan">
      <button ref={button} type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Stop scanning' : `Scan the QR code of ${of}`}
      </button>
      {open && <Camera of={of} onCode={take} />}
    </div>
  )
}

function Camera({ of, onCode }: ScanProps) {
  const video = useRef<HTMLVideoElement>(null)
  const on = useRef(onCode)
  on.current = onCode
  const file = useId()
  const [said, setSaid] = useState('')
  const [usable, setUsable] = useState({ camera: true, pictures: true })
  const look = (text: string): boolean => {
    const taken = on.current(text)
    if (!taken) setSaid(`This QR code is not one of ${of}.`)
    return taken
  }
  const fail = (error: unknown) => {
    const known = error instanceof CannotScan
    setSaid(known ? error.message : 'The code cannot be read.')
    return { pictures: !known || error.pictures }
  }
  useEffect(() => {
    if (!video.current) return
    const left = new AbortController()
    scan(video.current, look, left.signal).catch((error: unknown) => {
      if (left.signal.aborted) return
      setUsable({ camera: false, ...fail(error) })
    })
    return () => left.abort()
  }, [])
  const choose = async (picture: Blob | undefined) => {
    if (!picture) return
    setSaid('')
    try {
      if (!(await readPicture(picture, look))) setSaid((last) => last || NOTHING)
    } catch (error) {
      fail(error)
    }
  }
  return (
    <div>
      {usable.camera && <video ref={video} muted playsInline aria-label="What the camera sees" />}
      <p class={usable.camera ? 'help' : 'notice'} role="status">
        {said || 'Hold the code before the camera.'}
      </p>
      {usable.pictures && (
        <>
          <label for={file}>Or a picture of it</label>
          <input
            id={file}
            type="file"
            accept="image/*"
            onChange={(event) => void choose(event.currentTarget.files?.[0])}
          />
        </>
      )}
    </div>
  )
}

const NOTHING = 'There is no QR code in this picture.'
