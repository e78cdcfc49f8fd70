/** `connect` in a browser: the platform's WebSocket and cryptography in JavaScript. */
import { browserCrypto } from '../crypto/browser.ts'
import { browserSockets, type PlatformWebSocket } from '../transport/socket-browser.ts'
import { websocketRelay } from '../transport/websocket.ts'
import { connectOn } from './connect.ts'
import type { Platform } from './platform.ts'

/** A browser, a worker, or any runtime with a global `WebSocket`. */
export const browserPlatform: Platform = {
  crypto: browserCrypto,
  get transports() {
    return platformWebSocket() ? (['websocket'] as const) : []
  },
  relay(address, { clock }) {
    const WebSocket = platformWebSocket()
    if (!WebSocket) throw new TypeError('this runtime has no WebSocket')
    return websocketRelay(address, browserSockets(WebSocket, clock), clock)
  },
}

/** Connects to a node; see `connect` of `pinhole/lnc`. `insecureTls` and `ca` are the browser's to decide. */
export const connect = connectOn(browserPlatform)

function platformWebSocket(): PlatformWebSocket | undefined {
  const found: unknown = Reflect.get(globalThis, 'WebSocket')
  return typeof found === 'function' ? (found as PlatformWebSocket) : undefined
}
