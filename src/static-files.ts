/** Files for requests that are for no service (`servestatic`). Folders are not listed, names with a dot not served. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { pipeline } from 'node:stream/promises'
import fileSend from '@fastify/send'
import { NOT_FOUND } from '../proxy/answer.ts'
import { send } from '../proxy/send.ts'
import type { Log } from './base/log.ts'

type Request = IncomingMessage | Http2ServerRequest

/** Answers GET and HEAD from the folder `root`, ranges and validators included; everything else with 404. */
export const staticFiles =
  (root: string, log: Log) =>
  (req: Request, res: ServerResponse | Http2ServerResponse): void => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      send(res, NOT_FOUND)
      return
    }
    answer(root, req, res).catch((error: unknown) => {
      // A client that leaves in the middle is no news.
      log.debug({ error }, 'a file was not sent to its end')
      res.destroy()
    })
  }

async function answer(root: string, req: Request, res: ServerResponse | Http2ServerResponse) {
  const [path = '/'] = (req.url ?? '/').split('?')
  const found = await fileSend(req, path, { root, dotfiles: 'ignore', highWaterMark: 65_536 })
  if (found.type === 'error' && found.statusCode === 404) {
    found.stream.destroy()
    send(res, NOT_FOUND)
    return
  }
  // The two responses take the same call, but TypeScript sees two signatures.
  if ('stream' in res) res.writeHead(found.statusCode, found.headers)
  else res.writeHead(found.statusCode, found.headers)
  await pipeline(found.stream, res)
}
