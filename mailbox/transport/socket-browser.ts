/** WebSockets by the platform's own `WebSocket`: browsers, workers, and runtimes that have one. */
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { failure } from './failure.ts'
import {
  SOCKET_CLOSE_TIMEOUT_MS,
  SOCKET_DIAL_TIMEOUT_MS,
  type OpenSocket,
  type SocketEvents,
  type TextSocket,
} from './text-socket.ts'

/** The part of the platform's `WebSocket` that is used (WHATWG WebSockets §3). */
interface PlatformSocket {
  readonly readyState: number
  readonly bufferedAmount: number
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onclose: (() => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

/** Constructor of the platform's `WebSocket`. */
export type PlatformWebSocket = new (url: string) => PlatformSocket

const OPEN = 1
const CLOSED = 3

/**
 * Opens sockets of the platform. A browser tells no script why a connection failed: a refused
 * certificate and an unreachable host are both `unreachable` here.
 */
export function browserSockets(
  WebSocket: PlatformWebSocket,
  clock: Clock = systemClock,
): OpenSocket {
  return (url, events) => openSocket(new WebSocket(url), new URL(url).host, events, clock)
}

function openSocket(
  socket: PlatformSocket,
  where: string,
  events: SocketEvents,
  clock: Clock,
): TextSocket {
  let wasOpen = false
  let over = (): void => {}
  const ended = new Promise<void>((resolve) => (over = resolve))
  const end = () => {
    stopDial()
    socket.onopen = socket.onmessage = socket.onclose = null
    over()
  }
  const lose = () => {
    end()
    const why = wasOpen ? `the connection to ${where} was lost` : `no connection to ${where}`
    events.closed(failure(wasOpen ? 'ended' : 'unreachable', why))
  }
  const stopDial = clock.after(SOCKET_DIAL_TIMEOUT_MS, () => {
    lose()
    socket.close()
  })
  socket.onopen = () => {
    wasOpen = true
    stopDial()
    events.open()
  }
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') events.text(data)
  }
  socket.onclose = lose
  return {
    send: (text) => {
      if (socket.readyState === OPEN) socket.send(text)
    },
    bufferedBytes: () => socket.bufferedAmount,
    close: async () => {
      if (socket.readyState === CLOSED) return
      socket.onmessage = null
      socket.onclose = end
      if (!wasOpen) end()
      socket.close(1000, 'bye')
      const stop = clock.after(SOCKET_CLOSE_TIMEOUT_MS, end)
      await ended
      stop()
    },
  }
}
