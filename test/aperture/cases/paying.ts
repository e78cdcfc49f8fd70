/** Who has to pay, and what is offered. */
import { type Case, get, post, from, h2 } from './request.ts'

export const PAYING: readonly Case[] = [
  { id: 'auth.challenge', request: get('/paid/x') },
  { id: 'auth.challenge-caveats', request: get('/second/x') },
  { id: 'auth.challenge-head', request: get('/paid/x', [], 'HEAD') },
  { id: 'auth.challenge-post', request: post('/paid/x', 'body') },
  { id: 'auth.challenge-h2', request: h2('/paid/x') },
  { id: 'auth.no-price', request: get('/noprice/x') },
  ...[1, 2, 3, 4].map((n): Case => ({
    id: `auth.freebie-${n}`,
    request: from('127.77.1.5', '/free2/x'),
  })),
  { id: 'auth.freebie-same-network', request: from('127.77.1.9', '/free2/x') },
  { id: 'auth.freebie-other-network', request: from('127.77.2.5', '/free2/x') },
  { id: 'auth.whitelist', request: get('/wl/public/x') },
  { id: 'auth.whitelist-anywhere', request: get('/wl/x/anywhere/y') },
  { id: 'auth.whitelist-not', request: get('/wl/x') },
  { id: 'auth.skip', request: get('/skip/quiet/x') },
  { id: 'auth.skip-not', request: get('/skip/loud') },
  { id: 'block.http', request: from('127.250.0.9', '/open/x') },
]
