/**
 * fast-check under one seed, so that what passes on one machine passes on the next. `PINHOLE_SEED=random` looks
 * for cases that nobody has seen; a number repeats what failed under it.
 */
import fc from 'fast-check'

const SEED = 20_261_121
const { PINHOLE_SEED: wanted } = process.env

if (wanted !== 'random') fc.configureGlobal({ seed: wanted === undefined ? SEED : Number(wanted) })

export default fc
