/** Sizes in bytes, as Pinhole's own keys take them. */

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
}

/** Bytes of `65536`, `64KiB`, `256 MiB`, `1GB`; `undefined` when it is no such size. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([a-zA-Z]*)$/.exec(text) ?? []
  const factor = UNIT_BYTES[(unit ?? '').toUpperCase()]
  if (amount === undefined || factor === undefined) return undefined
  const bytes = Number(amount) * factor
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
