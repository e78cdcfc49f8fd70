/** The networks that an invoice can be for, by the prefix that BOLT 11 gives them. */

const NETWORKS = {
  bc: 'mainnet',
  tb: 'testnet',
  tbs: 'signet',
  bcrt: 'regtest',
  sb: 'simnet',
} as const

/** Prefix after `ln`. */
export type NetworkPrefix = keyof typeof NETWORKS

/** lnd's name of a network. */
export type Network = (typeof NETWORKS)[NetworkPrefix]

/** The network of a prefix, `undefined` for any other text. */
export const networkOf = (prefix: string): Network | undefined =>
  Object.hasOwn(NETWORKS, prefix) ? NETWORKS[prefix as NetworkPrefix] : undefined
