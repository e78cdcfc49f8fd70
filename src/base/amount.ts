/** Units of bitcoin. */

/** Millisatoshis in one satoshi. */
export const MSAT_PER_SAT = 1_000n
