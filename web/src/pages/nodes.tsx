/** Nodes: their connections, what they can receive, and what the doctor says. */
import { useState } from 'preact/hooks'
import type { Node, NodeReport, ResponseOf } from '../../../src/admin/contract.ts'
import { call } from '../api.ts'
import { useEvent } from '../events.ts'
import { shownCount, shownMsats } from '../format.ts'
import { useAction, useLoad } from '../load.ts'
import { Confirm } from '../parts/confirm.tsx'
import { State, Trouble } from '../parts/notice.tsx'
import { PairNode, Report } from '../parts/pair-node.tsx'
import { Table } from '../parts/table.tsx'

const EVERY_MS = 5_000

export function Nodes() {
  const { value, error, reload } = useLoad('listNodes', {}, EVERY_MS)
  const info = useLoad('getInfo', {})
  useEvent((event) => void (event.type === 'node' && reload()))
  return (
    <>
      <Trouble error={error} />
      {value?.nodes.length === 0 && <p class="empty">No node is paired yet.</p>}
      {value?.nodes.map((node) => (
        <NodeCard key={node.name} node={node} onChanged={reload} />
      ))}
      <section class="card">
        <h2>Pair a node</h2>
        {info.value?.sandbox === true && (
          <p class="empty">
            This is a sandbox, with one simulated node. To pair a node of yours, start the hub
            without <code>--sandbox</code>.
          </p>
        )}
        {info.value?.sandbox === false && <PairNode onPaired={reload} />}
      </section>
      <Pool />
      <Doctor />
    </>
  )
}

interface NodeCardProps {
  readonly node: Node
  readonly onChanged: () => void
}

function NodeCard({ node, onChanged }: NodeCardProps) {
  const [report, setReport] = useState<NodeReport>()
  const [asking, setAsking] = useState(false)
  const action = useAction()
  const { name } = node
  const test = () => action.run(async () => setReport(await call('testNode', { name })))
  const reconnect = () => action.run(() => call('reconnectNode', { name })).then(onChanged)
  return (
    <section class="card" aria-label={`Node ${name}`}>
      <h2>
        {name} <State word={node.state} />
      </h2>
      {node.reason && <p class="bad">{node.reason}</p>}
      <Facts node={node} />
      <div class="row">
        <button type="button" disabled={action.busy} onClick={() => void test()}>
          Test
        </button>
        <button type="button" disabled={action.busy} onClick={() => void reconnect()}>
          Reconnect
        </button>
        {!node.configured && (
          <button type="button" class="danger" onClick={() => setAsking(true)}>
            Remove
          </button>
        )}
      </div>
      <Trouble error={action.error} />
      {report && <Report report={report} />}
      {asking && (
        <Confirm
          title={`Remove ${name}?`}
          verb="Remove the node"
          onConfirm={() => call('removeNode', { name }).then(onChanged)}
          onClose={() => setAsking(false)}
        >
          <p>
            Its keys are forgotten; to have it back it is paired anew. Tokens that were paid go on
            working.
          </p>
        </Confirm>
      )}
    </section>
  )
}

function Facts({ node }: { readonly node: Node }) {
  return (
    <dl>
      <dt>Reached</dt>
      <dd>{node.kind === 'lnc' ? 'through a relay, by Lightning Node Connect' : 'directly'}</dd>
      {node.alias && (
        <>
          <dt>Alias</dt>
          <dd>
            {node.alias} {node.network && `(${node.network})`}
          </dd>
        </>
      )}
      {node.pubkey && (
        <>
          <dt>Key</dt>
          <dd>
            <code>{node.pubkey}</code>
          </dd>
        </>
      )}
      {node.state === 'ready' && <Receivable name={node.name} />}
      <dt>Invoices made ahead</dt>
      <dd>{shownCount(node.pooled)}</dd>
      <dt>Payments</dt>
      <dd>{node.subscribed ? 'heard as they come in' : 'not heard at the moment'}</dd>
    </dl>
  )
}

/** Asked once while the page is open, and again by *Test*. */
function Receivable({ name }: { readonly name: string }) {
  const { value, error } = useLoad('testNode', { name })
  const known = value && value.receivable_msat !== ''
  return (
    <>
      <dt>Can receive</dt>
      <dd>
        {known && shownMsats(value.receivable_msat)}
        {value && !known && 'the session may not ask'}
        {error !== undefined && 'the node does not say'}
      </dd>
    </>
  )
}

function Pool() {
  const { value, error } = useLoad('listPool', {}, EVERY_MS)
  return (
    <section class="card">
      <h2>Invoices made ahead</h2>
      <Trouble error={error} />
      {value && (
        <Table
          label="Invoices made ahead"
          head={['Node', 'Price', 'Ready', 'Wanted']}
          empty="None: nothing was asked for lately."
          rows={value.prices.map(({ node, price_msat: price, ready, target }) => ({
            key: `${node} ${price}`,
            cells: [node, shownMsats(price), shownCount(ready), shownCount(target)],
          }))}
        />
      )}
    </section>
  )
}

function Doctor() {
  const [found, setFound] = useState<ResponseOf<'runDoctor'>>()
  const action = useAction()
  const run = () => action.run(async () => setFound(await call('runDoctor', {})))
  return (
    <section class="card">
      <h2>Doctor</h2>
      <p>Looks at everything that can be wrong, and says what to do.</p>
      <button type="button" disabled={action.busy} onClick={() => void run()}>
        {action.busy ? 'Looking…' : 'Run the doctor'}
      </button>
      <Trouble error={action.error} />
      {found && (
        <Table
          label="Findings"
          head={['Level', 'Check', 'What is so', 'What to do']}
          text={[2, 3]}
          empty="It found nothing."
          rows={found.findings.map(({ check, level, text, advice }, n) => ({
            key: String(n),
            cells: [<State word={level} />, check, text, advice],
          }))}
        />
      )}
    </section>
  )
}
