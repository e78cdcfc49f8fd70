/** Asks a service as a client would: the 402, its invoice, and what was paid for. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { HubEvent, Node, RequestOf, ResponseOf, Service } from '../../../src/admin/contract.ts'
import { call } from '../api.ts'
import { useEvent } from '../events.ts'
import { shownSats } from '../format.ts'
import { useAction } from '../load.ts'
import { Copyable } from './copy.tsx'
import { Choice, Field } from './field.tsx'
import { State, Trouble } from './notice.tsx'
import { Qr } from './qr.tsx'

interface TryItProps {
  readonly services: readonly Service[]
  readonly nodes: readonly Node[]
}

/** What was asked for, and what came. */
interface Tried {
  readonly asked: RequestOf<'tryService'>
  readonly answer: ResponseOf<'tryService'>
}

export function TryIt({ services, nodes }: TryItProps) {
  const [chosen, setChosen] = useState('')
  const [path, setPath] = useState('/')
  const [tried, setTried] = useState<Tried>()
  const action = useAction()
  const name = chosen || (services[0]?.name ?? '')
  const ask = (request: Tried['asked']) =>
    action.run(async () => {
      setTried({ asked: request, answer: await call('tryService', request) })
    })
  const submit = (event: Event) => {
    event.preventDefault()
    setTried(undefined)
    void ask({ name, path })
  }
  /** With what was paid for the invoice since. */
  const askAgain = ({ asked, answer: { challenge } }: Tried) => ask({ ...asked, challenge })
  useEvent((event) => {
    if (tried && isPaymentOf(tried.answer, event)) void askAgain(tried)
  })
  return (
    <>
      <form onSubmit={submit}>
        <div class="grid">
          <Choice
            label="Service"
            value={name}
            options={services.map((one) => [one.name, one.name] as const)}
            onInput={setChosen}
          />
          <Field label="Path" value={path} onInput={setPath} />
        </div>
        <button type="submit" class="primary" disabled={action.busy}>
          Ask without paying
        </button>
      </form>
      <Trouble error={action.error} />
      {tried && (
        <Answer answer={tried.answer}>
          <Pay
            price={tried.answer.price_sats}
            nodes={nodes}
            busy={action.busy}
            missing={tried.asked.challenge !== undefined && tried.asked.challenge !== ''}
            onPaid={() => void askAgain(tried)}
            onPay={(node) =>
              void ask({ ...tried.asked, challenge: '', max_sats: tried.answer.price_sats, node })
            }
          />
        </Answer>
      )}
    </>
  )
}

/** Whether it tells of the payment of the invoice that is shown: the token's id is in its macaroon. */
function isPaymentOf({ challenge, invoice, paid }: Tried['answer'], event: HubEvent): boolean {
  if (event.type !== 'settled' || invoice === '' || paid || event.token_id === '') return false
  const [, macaroon = ''] = /macaroon="([\w+/=-]+)"/.exec(challenge) ?? []
  const bytes = atob(macaroon.replaceAll('-', '+').replaceAll('_', '/'))
  const hex = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
  return hex.includes(event.token_id)
}

interface PayProps {
  readonly price: string
  readonly nodes: readonly Node[]
  readonly busy: boolean
  /** It was looked for, and has not come in. */
  readonly missing: boolean
  readonly onPaid: () => void
  readonly onPay: (node: string) => void
}

function Pay({ price, nodes, busy, missing, onPaid, onPay }: PayProps) {
  const [node, setNode] = useState('')
  return (
    <>
      <p>
        Pay it with any wallet: the answer appears here once the payment has come in. Or let a node
        of this hub pay it; a real one does not pay itself.
      </p>
      <div class="row">
        {nodes.length > 1 && (
          <Choice
            label="Node"
            value={node}
            options={[['', 'the first'], ...nodes.map((one) => [one.name, one.name] as const)]}
            onInput={setNode}
          />
        )}
        <button type="button" disabled={busy} onClick={() => onPay(node)}>
          {`Pay ${shownSats(price)} and ask again`}
        </button>
        <button type="button" disabled={busy} onClick={onPaid}>
          It is paid
        </button>
      </div>
      <p role="status">{missing && !busy && 'The payment has not come in yet.'}</p>
    </>
  )
}

interface AnswerProps {
  readonly answer: ResponseOf<'tryService'>
  /** Beside the invoice. */
  readonly children: ComponentChildren
}

function Answer({ answer, children }: AnswerProps) {
  const { status, challenge, invoice, paid, body } = answer
  return (
    <div class="answer">
      <p role="status">
        {paid && <State word="paid" />} The answer has status <strong>{status}</strong>.
      </p>
      {!paid && invoice && (
        <div class="invoice">
          <Qr invoice={invoice} />
          <div>
            <Copyable label="Invoice" text={invoice} />
            {children}
          </div>
        </div>
      )}
      {challenge && (
        <details>
          <summary>Challenge</summary>
          <pre tabIndex={0} role="region" aria-label="Challenge">
            {challenge}
          </pre>
        </details>
      )}
      {body && (
        <details open={paid || !invoice}>
          <summary>Body</summary>
          <pre tabIndex={0} role="region" aria-label="Body">
            {body}
          </pre>
        </details>
      )}
    </div>
  )
}
