/** JSON over HTTPS to a process on loopback whose certificate is known. */
import { request } from 'node:https'

/** One request. */
export interface JsonRequest {
  readonly port: number
  readonly path: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** The certificate that the process made for itself, PEM. */
  readonly ca: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly timeoutMs: number
}

/** The answer's body; a status that is not 2xx, or no answer in time, rejects. */
export function requestJson(options: JsonRequest): Promise<unknown> {
  const { port, path, method, ca, headers, body, timeoutMs } = options
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const call = request(
      { host: '127.0.0.1', port, path, method, ca, headers, signal, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('error', reject)
        response.on('end', () => {
          const status = response.statusCode ?? 0
          if (status >= 200 && status < 300) resolve(text === '' ? undefined : JSON.parse(text))
          else reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`))
        })
      },
    )
    call.on('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
