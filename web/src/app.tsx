/** The frame: log in, find one's way, show a page. */
import type { JSX } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { findSession, logIn, logOut, onLoggedOut, type Session } from './api.ts'
import { keepListening } from './events.ts'
import { Login } from './pages/login.tsx'
import { Logs } from './pages/logs.tsx'
import { Nodes } from './pages/nodes.tsx'
import { Overview } from './pages/overview.tsx'
import { Relay } from './pages/relay.tsx'
import { ServicePage } from './pages/service.tsx'
import { Services } from './pages/services.tsx'
import { SetUp } from './pages/set-up.tsx'
import { Tokens } from './pages/tokens.tsx'
import { Transactions } from './pages/transactions.tsx'
import { hashOf, useRoute } from './route.ts'

type Door =
  | { readonly name: 'looking' }
  | { readonly name: 'out'; readonly error?: unknown }
  | { readonly name: 'in'; readonly session: Session }

export function App() {
  const [door, setDoor] = useState<Door>({ name: 'looking' })
  useEffect(() => {
    onLoggedOut((error) => setDoor({ name: 'out', error }))
    enter().then(
      (session) => setDoor(session ? { name: 'in', session } : { name: 'out' }),
      (error: unknown) => setDoor({ name: 'out', error }),
    )
  }, [])
  if (door.name === 'looking') return <main aria-busy="true" />
  if (door.name === 'in') return <Frame session={door.session} />
  return <Login error={door.error} onLogin={(session) => setDoor({ name: 'in', session })} />
}

/** By the code in the address, which goes from there at once, or by the session that there is. */
async function enter(): Promise<Session | undefined> {
  const [, code] = /^#login=([\w-]+)$/.exec(location.hash) ?? []
  if (code === undefined) return findSession()
  history.replaceState(null, '', location.pathname)
  return logIn({ code })
}

interface PageOf {
  readonly path: string
  readonly title: string
  readonly show: (rest: readonly string[]) => JSX.Element
}

const PAGES: readonly PageOf[] = [
  { path: '', title: 'Overview', show: () => <Overview /> },
  { path: 'services', title: 'Services', show: () => <Services /> },
  { path: 'tokens', title: 'Tokens', show: () => <Tokens /> },
  { path: 'transactions', title: 'Transactions', show: () => <Transactions /> },
  { path: 'nodes', title: 'Nodes', show: () => <Nodes /> },
  { path: 'relay', title: 'Relay', show: () => <Relay /> },
  { path: 'logs', title: 'Logs and health', show: () => <Logs /> },
  { path: 'set-up', title: 'Set up', show: () => <SetUp /> },
]
const SERVICE: PageOf = {
  path: 'service',
  title: 'Service',
  show: ([name]) => <ServicePage key={name ?? ''} name={name} />,
}
const NOWHERE: PageOf = {
  path: '?',
  title: 'Nothing here',
  show: () => <p>There is no page of that name.</p>,
}

function Frame({ session }: { readonly session: Session }) {
  const [path = '', ...rest] = useRoute()
  const page = [...PAGES, SERVICE].find((one) => one.path === path) ?? NOWHERE
  useEffect(() => {
    const left = new AbortController()
    void keepListening(left.signal)
    return () => left.abort()
  }, [])
  const title = path === 'service' ? (rest[0] ?? 'New service') : page.title
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to content
      </a>
      <header>
        <strong class="brand">Pinhole</strong>
        <Menu current={path === 'service' ? 'services' : path} />
        <button type="button" class="quiet" onClick={() => void logOut()}>
          Log out
        </button>
      </header>
      <main id="content" tabIndex={-1}>
        <Heading text={title} place={[path, ...rest].join('/')} />
        {!session.scopes.includes('write') && (
          <p class="notice">This session may look, but not change anything.</p>
        )}
        {page.show(rest)}
      </main>
    </>
  )
}

function skip(event: Event): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('#content')?.focus()
}

function Menu({ current }: { readonly current: string }) {
  return (
    <nav aria-label="Pages">
      {PAGES.map(({ path, title }) => (
        <a key={path} href={hashOf(path)} aria-current={path === current ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  )
}

/** Takes the focus when the page changes, so that a screen reader says where one is. */
function Heading({ text, place }: { readonly text: string; readonly place: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  const first = useRef(true)
  const focus = useCallback(() => heading.current?.focus(), [])
  useEffect(() => {
    document.title = `${text} · Pinhole`
    if (!first.current) focus()
    first.current = false
  }, [text, place, focus])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {text}
    </h1>
  )
}
