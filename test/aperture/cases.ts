/** What is asked of both proxies, in order: rate limits and freebies count along. */
import { ROUTING, CORS } from './cases/routing.ts'
import { PAYING } from './cases/paying.ts'
import { CREDENTIALS } from './cases/credentials.ts'
import { HEADERS, BODIES, UPGRADES } from './cases/forwarding.ts'
import { GRPC } from './cases/grpc.ts'
import { MALFORMED } from './cases/malformed.ts'
import type { Case } from './cases/request.ts'

/** All of them. */
export const CASES: readonly Case[] = [
  ...ROUTING,
  ...CORS,
  ...PAYING,
  ...CREDENTIALS,
  ...HEADERS,
  ...BODIES,
  ...UPGRADES,
  ...GRPC,
  ...MALFORMED,
]
