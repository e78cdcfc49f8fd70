/** From an empty hub to a sold request, in three steps. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ResponseOf } from '../../../src/admin/contract.ts'
import { call } from '../api.ts'
import { useEvent } from '../events.ts'
import { shownCount, shownSats } from '../format.ts'
import { useAction, useLoad, useSettled } from '../load.ts'
import { Choice, Field } from '../parts/field.tsx'
import { State, Trouble } from '../parts/notice.tsx'
import { PairNode } from '../parts/pair-node.tsx'
import { TryIt } from '../parts/try-it.tsx'
import { hashOf } from '../route.ts'
import { fieldNamedIn } from '../service-draft.ts'

export function SetUp() {
  const nodes = useLoad('listNodes', {})
  const services = useLoad('listServices', {})
  useEvent(({ type }) => {
    if (type === 'node') nodes.reload()
    if (type === 'services') services.reload()
  })
  const paired = nodes.value?.nodes ?? []
  const sold = (services.value?.services ?? []).filter(({ auth }) => auth !== 'off')
  return (
    <ol class="steps">
      <Step title="Pair a node" done={paired.length > 0}>
        <Trouble error={nodes.error} />
        {paired.map(({ name, alias, state }) => (
          <p key={name}>
            {alias || name} <State word={state} />
          </p>
        ))}
        {paired.length > 0 ? (
          <p>
            <a href={hashOf('nodes')}>More of it, or pair another one</a>
          </p>
        ) : (
          <p>
            Payments go to a Lightning node of yours. Have it make a new session (
            <a href={hashOf('relay')}>the command for litd</a>), and paste the phrase or scan its
            code.
          </p>
        )}
        {nodes.value && <FirstPairing any={paired.length > 0} onPaired={nodes.reload} />}
      </Step>
      <Step title="Add an API" done={sold.length > 0}>
        <Trouble error={services.error} />
        {sold.map(({ name, price }) => (
          <p key={name}>
            <a href={hashOf('service', name)}>{name}</a> for {shownSats(price)}
          </p>
        ))}
        {services.value && sold.length === 0 && <AddApi onAdded={services.reload} />}
        {sold.length > 0 && (
          <details>
            <summary>Add another API</summary>
            <AddApi onAdded={services.reload} />
          </details>
        )}
      </Step>
      <Step title="Try it" done={false}>
        {sold.length === 0 && <p class="empty">Add an API first.</p>}
        {sold.length > 0 && <TryIt services={sold} nodes={paired} />}
      </Step>
    </ol>
  )
}

interface StepProps {
  readonly title: string
  readonly done: boolean
  readonly children: ComponentChildren
}

function Step({ title, done, children }: StepProps) {
  return (
    <li class="card">
      <h2>
        {title} {done && <State word="done" />}
      </h2>
      {children}
    </li>
  )
}

/** The form stays, with what it says of the node, until the page is left. */
function FirstPairing({ any, onPaired }: { readonly any: boolean; readonly onPaired: () => void }) {
  const [open] = useState(!any)
  return open ? <PairNode onPaired={onPaired} once /> : null
}

const EMPTY = { name: '', address: '', protocol: 'http', path_regexp: '', price: '10' }
const TEST_AFTER_MS = 600

function AddApi({ onAdded }: { readonly onAdded: () => void }) {
  const [form, setForm] = useState(EMPTY)
  const action = useAction()
  const set = (next: Partial<typeof EMPTY>) => {
    action.forget()
    setForm((last) => ({ ...last, ...next }))
  }
  const submit = async (event: Event) => {
    event.preventDefault()
    const added = await action.run(() => call('createService', { ...form, auth: 'on' }))
    if (!added) return
    setForm(EMPTY)
    onAdded()
  }
  const message = action.error instanceof Error ? action.error.message : ''
  const named = fieldNamedIn(message)
  const field = (name: Exclude<keyof typeof EMPTY, 'protocol'>) => ({
    value: form[name],
    onInput: (value: string) => set({ [name]: value }),
    problem: named === name ? message : undefined,
  })
  return (
    <form onSubmit={(event) => void submit(event)}>
      <div class="grid">
        <Field
          label="Upstream address"
          help="host:port of your API"
          required
          {...field('address')}
        />
        <Choice
          label="Protocol"
          value={form.protocol}
          options={[
            ['http', 'http'],
            ['https', 'https'],
            ['h2c', 'h2c (HTTP/2 in cleartext)'],
          ]}
          onInput={(protocol) => set({ protocol })}
        />
      </div>
      <Upstream address={form.address} protocol={form.protocol} />
      <div class="grid">
        <Field label="Name" required {...field('name')} />
        <Field
          label="Paths"
          help="A regular expression, such as ^/api/.*$; empty is all"
          {...field('path_regexp')}
        />
        <Field label="Price" help="Satoshis, at least 1" required {...field('price')} />
      </div>
      {named === undefined && <Trouble error={action.error} />}
      <button type="submit" class="primary" disabled={action.busy}>
        Add the API
      </button>
    </form>
  )
}

type Tested = ResponseOf<'testUpstream'> | { readonly error: unknown }

/** Asks the upstream as soon as an address was typed. */
function Upstream({ address, protocol }: { readonly address: string; readonly protocol: string }) {
  const settled = useSettled(`${protocol} ${address.trim()}`, TEST_AFTER_MS)
  const [tested, setTested] = useState<Tested>()
  useEffect(() => {
    setTested(undefined)
    const [kind = '', at = ''] = settled.split(' ')
    if (!/:\d+$|^unix:/.test(at)) return
    const left = new AbortController()
    call('testUpstream', { address: at, protocol: kind }, left.signal).then(
      (answer) => left.signal.aborted || setTested(answer),
      (error: unknown) => left.signal.aborted || setTested({ error }),
    )
    return () => left.abort()
  }, [settled])
  if (!tested) return <p class="help" role="status" />
  if ('error' in tested) return <Trouble error={tested.error} />
  const { reachable, status, latency_ms: latency, reason } = tested
  return (
    <p role="status">
      {reachable ? (
        <>
          <State word="ok" /> It answers with status {status} in {shownCount(Math.round(latency))}{' '}
          ms.
        </>
      ) : (
        <>
          <State word="error" /> It does not answer: {reason}
        </>
      )}
    </p>
  )
}
