/** CORS of what the paywall itself answers: any page may ask and read the challenge (Aperture's table). */

/** Headers by name; a list becomes one line for each member. */
export type Headers = Readonly<Record<string, string | readonly string[]>>

/** On every answer that a browser's script is meant to read. */
export const CORS_HEADERS: Headers = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
  'Access-Control-Expose-Headers': 'WWW-Authenticate, Payment-Receipt',
  'Access-Control-Allow-Headers':
    'Content-Type, Authorization, Grpc-Metadata-macaroon, WWW-Authenticate, Payment-Receipt',
}
