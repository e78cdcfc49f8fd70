/** A place to listen on. */
export interface Address {
  /** Name or IP address; `undefined` stands for every address of the machine. */
  readonly host: string | undefined
  /** 0 lets the system choose. */
  readonly port: number
}

const MAX_PORT = 65_535

/** Reads `host:port`, `:port` or `[v6]:port` as Go's listeners do; `undefined` when it is none. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+(?:%\w+)?)\]|([^:[\]/\s]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > MAX_PORT) return undefined
  const host = bracketed ?? plain
  return { host: host === '' ? undefined : host, port }
}

/** URL of a port that is bound; one on every address of the machine is reached here by its own name. */
export function boundUrl(insecure: boolean, host: string | undefined, port: number): string {
  const anywhere = host === undefined || host === '0.0.0.0' || host === '::'
  return `${insecure ? 'http' : 'https'}://${formatAddress(anywhere ? 'localhost' : host, port)}`
}

/** `host:port` as a URL or a log line takes it. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
