/** Offers and payments: filters, marks, CSV. */
import { useState } from 'preact/hooks'
import type { RequestOf, Transaction } from '../../../src/admin/contract.ts'
import { call, linkTo } from '../api.ts'
import { useEvent } from '../events.ts'
import { shownId, shownSats, shownTime } from '../format.ts'
import { useAction, useLoad, useSettled } from '../load.ts'
import { Choice, Field, Switch } from '../parts/field.tsx'
import { State, Trouble } from '../parts/notice.tsx'
import { Pager, PAGE_SIZE } from '../parts/pager.tsx'
import { Table } from '../parts/table.tsx'

interface Filter {
  readonly service: string
  readonly state: string
  readonly from: string
  readonly to: string
  readonly search: string
  readonly own: boolean
}

const ALL: Filter = { service: '', state: '', from: '', to: '', search: '', own: true }
const DAY_MS = 86_400_000

const LAST_DAY = '2999-12-31'
/** Browsers let one type years of more than four digits, which are no times to the hub, nor to `Date`. */
const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && text <= LAST_DAY

/** A day of the person's own, as a time. */
const dayStart = (day: string): string => new Date(`${day}T00:00:00`).toISOString()

/** To the last moment of the day. */
function dayEnd(day: string): string {
  const next = new Date(new Date(`${day}T12:00:00`).getTime() + DAY_MS)
  next.setHours(0, 0, 0, 0)
  return new Date(next.getTime() - 1).toISOString()
}

/** One date alone is open at the other end. */
function requestOf({
  service,
  state,
  from,
  to,
  search,
  own,
}: Filter): RequestOf<'listTransactions'> {
  const dated = isDay(from) || isDay(to)
  return {
    service,
    state,
    ...(dated && {
      start_date: isDay(from) ? dayStart(from) : new Date(0).toISOString(),
      end_date: dayEnd(isDay(to) ? to : LAST_DAY),
    }),
    ...(search !== '' && { search: search.trim() }),
    ...(!own && { exclude_test: true }),
  }
}

export function Transactions() {
  const [filter, setFilter] = useState(ALL)
  const [offset, setOffset] = useState(0)
  const settled = useSettled(filter, 300)
  const request = requestOf(settled)
  const { value, error, reload } = useLoad('listTransactions', {
    ...request,
    limit: PAGE_SIZE,
    offset,
  })
  const change = (next: Partial<Filter>) => {
    setFilter((last) => ({ ...last, ...next }))
    setOffset(0)
  }
  return (
    <>
      <Filters filter={filter} onChange={change} />
      <Trouble error={error} />
      {value && <List transactions={value.transactions} onMarked={reload} />}
      {value && <Pager total={Number(value.total_count)} offset={offset} onOffset={setOffset} />}
      <p>
        <a class="button" href={linkTo('exportTransactions', request)} download="transactions.csv">
          Download as CSV
        </a>
      </p>
    </>
  )
}

interface FiltersProps {
  readonly filter: Filter
  readonly onChange: (next: Partial<Filter>) => void
}

function Filters({ filter, onChange }: FiltersProps) {
  const { value, reload } = useLoad('listServices', {})
  useEvent(({ type }) => void (type === 'services' && reload()))
  const services = value?.services.map(({ name }) => [name, name] as const) ?? []
  return (
    <form class="grid" role="search" onSubmit={(event) => event.preventDefault()}>
      <Choice
        label="Service"
        value={filter.service}
        options={[['', 'any'], ...services]}
        onInput={(service) => onChange({ service })}
      />
      <Choice
        label="State"
        value={filter.state}
        options={[
          ['', 'any'],
          ['settled', 'paid'],
          ['pending', 'offered'],
        ]}
        onInput={(state) => onChange({ state })}
      />
      <Field
        label="Paid from"
        type="date"
        max={LAST_DAY}
        value={filter.from}
        onInput={(from) => onChange({ from })}
      />
      <Field
        label="Paid until"
        type="date"
        max={LAST_DAY}
        value={filter.to}
        onInput={(to) => onChange({ to })}
      />
      <Field
        label="Search"
        type="search"
        value={filter.search}
        onInput={(search) => onChange({ search })}
        placeholder="token id or payment hash"
      />
      <Switch
        label="Also tests of one's own"
        checked={filter.own}
        onInput={(own) => onChange({ own })}
      />
    </form>
  )
}

interface ListProps {
  readonly transactions: readonly Transaction[]
  readonly onMarked: () => void
}

function List({ transactions, onMarked }: ListProps) {
  const action = useAction()
  const mark = ({ id }: Transaction, test: boolean) =>
    void action.run(() => call('markTransaction', { id, test })).then((done) => done && onMarked())
  return (
    <>
      <Trouble error={action.error} />
      <Table
        label="Transactions"
        head={['Service', 'State', 'Price', 'Offered', 'Paid', 'Token', 'Own test']}
        empty="No transaction passes these filters."
        rows={transactions.map((one) => ({
          key: String(one.id),
          cells: [
            one.service_name,
            <State word={one.state === 'settled' && !one.valid ? 'revoked' : one.state} />,
            shownSats(one.price_sats),
            shownTime(one.created_at),
            shownTime(one.settled_at, '–'),
            <code title={one.token_id}>{shownId(one.token_id)}</code>,
            <input
              type="checkbox"
              aria-label={`Own test: ${shownId(one.token_id)}`}
              checked={one.test}
              onChange={(event) => mark(one, event.currentTarget.checked)}
            />,
          ],
        }))}
      />
    </>
  )
}
