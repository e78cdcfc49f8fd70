/** Whether an invoice is for the network that a configuration names. */

/** What begins an invoice, by lnd's name of the network. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  ['mainnet', 'bc'],
  ['testnet', 'tb'],
  ['testnet4', 'tb'],
  ['signet', 'tbs'],
  ['simnet', 'sb'],
  ['regtest', 'bcrt'],
])

/** `network` is as in `authenticator.network`: empty, or one that is not known here, is every network. */
export function isOfNetwork(paymentRequest: string, network: string): boolean {
  const wanted = PREFIXES.get(network)
  const [, prefix] = /^ln([a-z]+)\d/.exec(paymentRequest.toLowerCase()) ?? []
  return wanted === undefined || prefix === wanted
}
