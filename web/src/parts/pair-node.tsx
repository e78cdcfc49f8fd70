/** Pairs a node by its phrase, and shows how far it has come. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { NodeReport } from '../../../src/admin/contract.ts'
import { call } from '../api.ts'
import { useEvent } from '../events.ts'
import { shownMsats, shownTime } from '../format.ts'
import { useAction } from '../load.ts'
import { PHRASE_WORDS, readPairingCode, wordsOf } from '../pairing-code.ts'
import { Copyable } from './copy.tsx'
import { Field, Switch } from './field.tsx'
import { State, Trouble } from './notice.tsx'
import { Scan } from './scan.tsx'
import { Table } from './table.tsx'

interface PairNodeProps {
  readonly onPaired: (report: NodeReport) => void
  /** Whether the form goes when a node is paired. */
  readonly once?: boolean
}

export function PairNode({ onPaired, once = false }: PairNodeProps) {
  const [form, setForm] = useState(EMPTY)
  const [stages, setStages] = useState<readonly Stage[]>([])
  const [report, setReport] = useState<NodeReport>()
  const action = useAction()
  useEvent((event) => {
    if (event.type !== 'pairing' || !action.busy) return
    const { stage, reason } = event
    setStages((last) => [...last.filter((one) => one.stage !== stage), { stage, reason }])
  })
  const submit = async (event: Event) => {
    event.preventDefault()
    setStages([])
    setReport(undefined)
    const paired = await action.run(async () => {
      const answer = await call('pairNode', form)
      setReport(answer)
      onPaired(answer)
    })
    if (paired) setForm(EMPTY)
  }
  return (
    <>
      {!(once && report) && (
        <form onSubmit={(event) => void submit(event)} aria-busy={action.busy}>
          <Words form={form} busy={action.busy} set={(next) => setForm({ ...form, ...next })} />
        </form>
      )}
      <ol class="stages" aria-live="polite" aria-label="Progress">
        {stages.map(({ stage, reason }, n) => (
          <li key={stage}>
            {STAGES.get(stage) ?? stage}
            {/* What was in the way before is over. */}
            {reason && n === stages.length - 1 && <span class="help">: {reason}</span>}
          </li>
        ))}
        {action.busy && stages.length === 0 && <li>checking the words</li>}
      </ol>
      <Trouble error={action.error} />
      {report && <Report report={report} focused={once} />}
    </>
  )
}

interface Stage {
  readonly stage: string
  readonly reason: string
}

/** Stages of a pairing in words. */
const STAGES: ReadonlyMap<string, string> = new Map([
  ['connecting', 'looking for the node at the relay'],
  ['asking', 'connected, asking what the session may do'],
  ['paired', 'paired'],
  ['failed', 'it failed'],
])

const EMPTY = { phrase: '', mailbox: '', name: '', insecure_tls: false }

interface WordsProps {
  readonly form: typeof EMPTY
  readonly busy: boolean
  readonly set: (next: Partial<typeof EMPTY>) => void
}

function Words({ form, busy, set }: WordsProps) {
  const words = wordsOf(form.phrase).length
  const [read, setRead] = useState(false)
  /** A link stands for words and relay; anything else is as it was typed. */
  const type = (text: string) => {
    setRead(false)
    set((text.includes('/connect/pair/') && readPairingCode(text)) || { phrase: text })
  }
  const scanned = (text: string): boolean => {
    const code = readPairingCode(text)
    if (!code) return false
    set(code)
    setRead(true)
    return true
  }
  return (
    <>
      <Field
        label="Pairing phrase"
        lines={2}
        value={form.phrase}
        onInput={type}
        required
        help={`The ${PHRASE_WORDS} words that your node shows for a new session`}
        problem={words > PHRASE_WORDS ? `These are ${words} words.` : undefined}
      />
      <Scan of="a session" onCode={scanned} />
      <p role="status">
        {read &&
          form.phrase !== '' &&
          `The code was read${form.mailbox && `: the node waits at ${form.mailbox}`}.`}
      </p>
      <details>
        <summary>Relay and name</summary>
        <div class="grid">
          <Field
            label="Relay"
            value={form.mailbox}
            onInput={(mailbox) => set({ mailbox })}
            help="host:port; empty is the one of the configuration"
          />
          <Field
            label="Name here"
            value={form.name}
            onInput={(name) => set({ name })}
            help="Empty is the node's own"
          />
          <Switch
            label="Trust any certificate of the relay"
            checked={form.insecure_tls}
            onInput={(insecure) => set({ insecure_tls: insecure })}
          />
        </div>
      </details>
      <button type="submit" class="primary" disabled={busy || words !== PHRASE_WORDS}>
        {busy ? 'Pairing…' : 'Pair'}
      </button>
    </>
  )
}

interface ReportProps {
  readonly report: NodeReport
  /** Whether it takes the focus, in the place of a form. */
  readonly focused?: boolean
}

/** What a node said of itself and of the session. */
export function Report({ report, focused = false }: ReportProps) {
  const { permissions, advice } = report
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (focused) place.current?.focus()
  }, [focused])
  return (
    <div ref={place} class="notice good" role="status" tabIndex={-1}>
      <p>
        <strong>{report.alias || report.name}</strong> answers
        {report.latency_ms > 0 && ` in ${Math.round(report.latency_ms)} ms`}
        {report.network && ` on ${report.network}`}.
        {report.receivable_msat !== '' && ` It can receive ${shownMsats(report.receivable_msat)}.`}
      </p>
      {report.pubkey && (
        <p>
          <code>{report.pubkey}</code>
        </p>
      )}
      <p>The session ends: {shownTime(report.expires_at, 'the node does not say')}.</p>
      <Table
        label={`Permissions of ${report.name}`}
        head={['Method', 'Needed to', 'The session']}
        empty="The node does not say what the session may do."
        rows={permissions.map(({ method, purpose, allowed }) => ({
          key: method + purpose,
          cells: [<code>{method}</code>, purpose, <State word={WORD.get(allowed) ?? ''} />],
        }))}
      />
      {advice && (
        <>
          <p>Something is missing. For a session that may do all of it:</p>
          <Copyable label="Command for a better session" text={advice} />
        </>
      )}
    </div>
  )
}

const WORD: ReadonlyMap<boolean | undefined, string> = new Map([
  [true, 'found'],
  [false, 'missing'],
  [undefined, 'not said'],
])
