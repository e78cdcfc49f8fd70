/** Amounts and times as people read them. */

const MSAT_PER_SAT = 1_000

const count = new Intl.NumberFormat()
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** `1,234`. */
export const shownCount = (value: number | string): string => count.format(Number(value))

/** `1,234 sat`. */
export const shownSats = (sats: number | string): string => `${shownCount(sats)} sat`

/** Satoshis of thousandths, exact to three places. */
export const shownMsats = (msat: number | string): string => shownSats(Number(msat) / MSAT_PER_SAT)

/** Day and time; `none` for no time. */
export const shownTime = (time: string, none = 'never'): string =>
  time === '' ? none : moment.format(new Date(time))

/** Time of day. */
export const shownClock = (time: string): string => clock.format(new Date(time))

/** The beginning of an id. */
export const shownId = (id: string): string => (id.length > 16 ? `${id.slice(0, 16)}…` : id)

/** `3 d 4 h`, `5 min`. */
export function shownDuration(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3_600) % 24, (seconds / 60) % 60]
  if (days >= 1) return `${Math.floor(days)} d ${Math.floor(hours)} h`
  if (hours >= 1) return `${Math.floor(hours)} h ${Math.floor(minutes)} min`
  return minutes >= 1 ? `${Math.floor(minutes)} min` : `${Math.floor(seconds)} s`
}
