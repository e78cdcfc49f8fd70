/** Asks a service as a client would: the 402, its invoice, and what was paid for. */
import { useState } from 'preact/hooks'
import type { Node, ResponseOf, Service } from '../../../src/admin/contract.ts'
import { call } from '../api.ts'
import { shownSats } from '../format.ts'
import { useAction } from '../load.ts'
import { Copyable } from './copy.tsx'
import { Choice, Field } from './field.tsx'
import { Trouble } from './notice.tsx'
import { Qr } from './qr.tsx'

interface TryItProps {
  readonly services: readonly Service[]
  readonly nodes: readonly Node[]
}

export function TryIt({ services, nodes }: TryItProps) {
  const [chosen, setChosen] = useState('')
  const [path, setPath] = useState('/')
  const [node, setNode] = useState('')
  const [answer, setAnswer] = useState<ResponseOf<'tryService'>>()
  const action = useAction()
  const name = chosen || (services[0]?.name ?? '')
  const ask = (pay: object) =>
    action.run(async () => setAnswer(await call('tryService', { name, path, ...pay })))
  const submit = (event: Event) => {
    event.preventDefault()
    setAnswer(undefined)
    void ask({})
  }
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
      {answer && <Answer answer={answer} />}
      {answer?.invoice && !answer.paid && (
        <>
          <p>
            Pay it with a wallet of yours, or from a node of this hub that is not the one that is
            paid:
          </p>
          <div class="row">
            <Choice
              label="Node"
              value={node}
              options={[['', 'the first'], ...nodes.map((one) => [one.name, one.name] as const)]}
              onInput={setNode}
            />
            <button
              type="button"
              disabled={action.busy}
              onClick={() => void ask({ max_sats: answer.price_sats, node })}
            >
              {`Pay ${shownSats(answer.price_sats)} and ask again`}
            </button>
          </div>
        </>
      )}
    </>
  )
}

function Answer({ answer }: { readonly answer: ResponseOf<'tryService'> }) {
  const { status, challenge, invoice, paid, body } = answer
  return (
    <div class="answer">
      <p role="status">
        {paid ? 'Paid. ' : ''}The answer has status <strong>{status}</strong>.
      </p>
      {!paid && invoice && (
        <div class="invoice">
          <Qr invoice={invoice} />
          <Copyable label="Invoice" text={invoice} />
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
      <details open={paid}>
        <summary>Body</summary>
        <pre tabIndex={0} role="region" aria-label="Body">
          {body}
        </pre>
      </details>
    </div>
  )
}
