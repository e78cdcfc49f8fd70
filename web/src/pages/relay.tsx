/** The relay, without a word of what passes through it. */
import type { ResponseOf } from '../../../src/admin/contract.ts'
import { shownCount } from '../format.ts'
import { useLoad } from '../load.ts'
import { Copyable } from '../parts/copy.tsx'
import { Trouble } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'

const EVERY_MS = 3_000
const BYTES_PER_KIB = 1_024

export function Relay() {
  const { value, error } = useLoad('getRelay', {}, EVERY_MS)
  return (
    <>
      <Trouble error={error} />
      {value && !value.enabled && (
        <p class="notice">
          This hub has no relay. Set <code>hashmail.enabled: true</code> and start it again.
        </p>
      )}
      {value?.enabled && <Traffic relay={value} />}
      <Allowances />
    </>
  )
}

function Traffic({ relay }: { readonly relay: ResponseOf<'getRelay'> }) {
  const figures = [
    ['Boxes', shownCount(relay.boxes)],
    ['Streams', shownCount(relay.streams)],
    ['Messages', `${shownCount(Math.round(relay.messages_per_second))}/s`],
    ['Traffic', `${shownCount(Math.round(relay.bytes_per_second / BYTES_PER_KIB))} KiB/s`],
  ] as const
  return (
    <>
      <ul class="figures">
        {figures.map(([name, value]) => (
          <li key={name}>
            <strong>{value}</strong>
            <span>{name}</span>
          </li>
        ))}
      </ul>
      <section class="card">
        <h2>Refusals since the start</h2>
        <Table
          label="Refusals"
          head={['Reason', 'How often']}
          empty="Nothing was refused."
          rows={Object.entries(relay.refusals).map(([reason, count]) => ({
            key: reason,
            cells: [<code>{reason}</code>, shownCount(count)],
          }))}
        />
      </section>
      <section class="card">
        <h2>Connect a node through this relay</h2>
        <p>Type this beside litd. It prints a pairing phrase, which you give to this hub.</p>
        <Copyable label="Command for litd" text={relay.litd_command} />
      </section>
    </>
  )
}

function Allowances() {
  const { value, error } = useLoad('getAllowances', {}, EVERY_MS)
  return (
    <section class="card">
      <h2>Unpaid invoices</h2>
      <Trouble error={error} />
      {value && (
        <>
          <p>
            {shownCount(value.used_total)} of {shownCount(value.total)} were made in the last{' '}
            {shownCount(value.per_ms / 1_000)} s; one address may have{' '}
            {shownCount(value.per_address)}, one service {shownCount(value.per_service)}.
          </p>
          <Table
            label="Unpaid invoices by service"
            head={['Service', 'Made']}
            empty="None was made."
            rows={value.services.map(({ service_name: name, used }) => ({
              key: name,
              cells: [name, shownCount(used)],
            }))}
          />
        </>
      )}
    </section>
  )
}
