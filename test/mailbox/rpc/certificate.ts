import { newKey, selfSign } from '../../../src/certificate/self-signed.ts'

const subject = { hostname: 'node', names: ['localhost'], addresses: ['127.0.0.1'] }
const key = newKey()

/** A node's self-signed certificate with its key, and one of somebody else for the same names. */
export const certificate = {
  key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  cert: await selfSign(key, subject, Date.now()),
  other: await selfSign(newKey(), subject, Date.now()),
}
