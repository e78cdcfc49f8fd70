import type { Socket } from 'node:net'

/** What a connection speaks, by its first bytes. */
export type Speech = 'http1' | 'http2' | 'tls'

const TLS_HANDSHAKE = 0x16
// RFC 9113 §3.4: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n". No HTTP/1.1 method begins with these three letters.
const PREFACE_START = [0x50, 0x52, 0x49] as const

/** What `bytes` begin, or `undefined` while that is open. Anything unknown is left to HTTP/1.1 to refuse. */
export function speechOf(bytes: Uint8Array): Speech | undefined {
  if (bytes[0] === TLS_HANDSHAKE) return 'tls'
  for (const [at, letter] of PREFACE_START.entries()) {
    if (bytes.length === at) return undefined
    if (bytes[at] !== letter) return 'http1'
  }
  return 'http2'
}

/**
 * Waits for the first bytes of `socket` and calls `take` once with what they begin. HTTP/2 and TLS find them
 * put back; HTTP/1.1 gets them as data right after `take`, and Node's server needs `tellEveryPause` then. A socket that stays silent for `timeoutMs` is
 * dropped.
 */
export function onFirstBytes(
  socket: Socket,
  timeoutMs: number,
  take: (speech: Speech) => void,
): void {
  let seen: Buffer = Buffer.alloc(0)
  const drop = () => socket.destroy()
  const onData = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const speech = speechOf(seen)
    if (!speech) return
    socket.off('data', onData).off('end', drop).off('timeout', drop)
    socket.setTimeout(0)
    if (speech === 'http1') {
      take(speech)
      socket.emit('data', seen)
      return
    }
    socket.pause()
    socket.unshift(seen)
    take(speech)
  }
  socket.setTimeout(timeoutMs)
  socket.on('data', onData).on('end', drop).on('timeout', drop)
}

/**
 * Node's HTTP/1.1 server stops reading upon the event `pause`, which a stream emits only when it flows. One
 * that was read from before is read on by itself after that, and would never be stopped again: a body that
 * nobody reads would end up in memory.
 */
export function tellEveryPause(socket: Socket): void {
  const pause = socket.pause.bind(socket)
  socket.pause = () => {
    const paused = socket.readableFlowing === false
    pause()
    if (paused) socket.emit('pause')
    return socket
  }
}
