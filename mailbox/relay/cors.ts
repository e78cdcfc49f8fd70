/** CORS headers of the REST face: every origin may use the relay, only an id opens a box. */
export function corsHeaders(origin: string | undefined): Record<string, string> {
  if (origin === undefined) return {}
  return {
    'Access-Control-Allow-Headers': 'Content-Type, Accept, Grpc-Metadata-Macaroon',
    'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    'Access-Control-Allow-Origin': origin,
    Vary: 'Origin',
  }
}
