/** Where one is, kept in the fragment: `#/service/paid` is `['service', 'paid']`. */
import { useEffect, useState } from 'preact/hooks'

const read = (): readonly string[] =>
  location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .map((part) => {
      try {
        return decodeURIComponent(part)
      } catch {
        return part
      }
    })

/** The fragment of a page. */
export const hashOf = (...parts: readonly string[]): string =>
  `#/${parts.map((part) => encodeURIComponent(part)).join('/')}`

/** Goes to a page. */
export const go = (...parts: readonly string[]): void => void (location.hash = hashOf(...parts))

/** The page that is shown now. */
export function useRoute(): readonly string[] {
  const [route, setRoute] = useState(read)
  useEffect(() => {
    const update = () => setRoute(read())
    addEventListener('hashchange', update)
    return () => removeEventListener('hashchange', update)
  }, [])
  return route
}
