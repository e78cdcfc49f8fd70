/**
 * Gives a connection that was accepted what `onread` gives one that is dialled: memory to read into. Node has no
 * option for it, but both are one class, and what the option fills can be filled later. Where a release of Node
 * has it otherwise nothing is changed, and each read costs new memory as before.
 */
import type { Socket } from 'node:net'
import { Inlet, lend } from '../forward/inlet.ts'

interface Handle {
  readonly useUserBuffer?: (memory: Uint8Array) => void
}

/** The inlet that `socket` reads by from now on; its pieces still come as `data`, and have their loans. */
export function readInto(socket: Socket): Inlet | undefined {
  const fields = socket as unknown as Record<symbol, unknown>
  const { _handle: handle } = socket as unknown as { readonly _handle?: Handle | null }
  const [buffer, callback, generator] = fieldsOf(socket)
  if (!buffer || !callback || !generator || !handle?.useUserBuffer) return undefined
  const inlet = new Inlet()
  inlet.receive = (piece, loan) => {
    if (loan) lend(piece, loan)
    return socket.push(piece)
  }
  const next = inlet.onread.buffer as () => Uint8Array
  const first = next()
  fields[generator] = next
  fields[callback] = (bytes: number, memory: Uint8Array) => inlet.onread.callback(bytes, memory)
  fields[buffer] = first
  handle.useUserBuffer(first)
  return inlet
}

/** Where a socket keeps its buffer, whom it tells of a read, and where the next buffer comes from. */
function fieldsOf(socket: Socket): readonly (symbol | undefined)[] {
  const known = Object.getOwnPropertySymbols(socket)
  return ['kBuffer', 'kBufferCb', 'kBufferGen'].map((name) =>
    known.find((symbol) => symbol.description === name),
  )
}
