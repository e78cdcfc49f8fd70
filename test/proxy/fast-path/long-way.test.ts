/** What is tested of the paywall and the forwarder on the fast path holds without it too. */
import { LONG_WAY } from './short-way.ts'

process.env[LONG_WAY] = '1'
await import('../plugin.test.ts')
await import('../answers.test.ts')
await import('../credentials.test.ts')
await import('../forward/http1.test.ts')
await import('../forward/breaking.test.ts')
await import('../forward/streaming.test.ts')
