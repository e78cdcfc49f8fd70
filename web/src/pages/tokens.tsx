/** Paid tokens: search, read, revoke. */
import { useState } from 'preact/hooks'
import type { ResponseOf, Transaction } from '../../../src/admin/contract.ts'
import { call } from '../api.ts'
import { shownCount, shownId, shownSats, shownTime } from '../format.ts'
import { useAction, useLoad, useSettled } from '../load.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Field } from '../parts/field.tsx'
import { State, Trouble } from '../parts/notice.tsx'
import { Pager, PAGE_SIZE } from '../parts/pager.tsx'
import { Table } from '../parts/table.tsx'

export function Tokens() {
  return (
    <>
      <TokenList />
      <Decode />
    </>
  )
}

function TokenList() {
  const [search, setSearch] = useState('')
  const [offset, setOffset] = useState(0)
  const [asked, setAsked] = useState<Transaction>()
  const settled = useSettled(search.trim(), 300)
  const { value, error, reload } = useLoad('listTokens', {
    limit: PAGE_SIZE,
    offset,
    ...(settled === '' ? {} : { search: settled }),
  })
  const look = (text: string) => {
    setSearch(text)
    setOffset(0)
  }
  return (
    <section>
      <Field
        label="Search"
        type="search"
        value={search}
        onInput={look}
        help="Beginning of a token id or payment hash"
      />
      <Trouble error={error} />
      {value && <Listed tokens={value.tokens} onRevoke={setAsked} />}
      {value && <Pager total={Number(value.total_count)} offset={offset} onOffset={setOffset} />}
      {asked && (
        <Confirm
          title="Revoke this token?"
          verb="Revoke the token"
          onConfirm={async () => {
            await call('revokeToken', { token_id: asked.token_id })
            reload()
          }}
          onClose={() => setAsked(undefined)}
        >
          <p>
            Whoever has {shownId(asked.token_id)} is asked to pay {shownSats(asked.price_sats)}{' '}
            again. It cannot be undone.
          </p>
        </Confirm>
      )}
    </section>
  )
}

interface ListedProps {
  readonly tokens: readonly Transaction[]
  readonly onRevoke: (token: Transaction) => void
}

function Listed({ tokens, onRevoke }: ListedProps) {
  return (
    <Table
      label="Tokens"
      head={['Token', 'Service', 'Price', 'Paid', 'Revoke']}
      empty="No token was paid for that this search finds."
      rows={tokens.map((token) => ({
        key: String(token.id),
        cells: [
          <code title={token.token_id}>{shownId(token.token_id)}</code>,
          token.service_name,
          shownSats(token.price_sats),
          shownTime(token.settled_at),
          <button
            type="button"
            class="danger small"
            aria-label={`Revoke ${shownId(token.token_id)}`}
            onClick={() => onRevoke(token)}
          >
            Revoke
          </button>,
        ],
      }))}
    />
  )
}

function Decode() {
  const [credential, setCredential] = useState('')
  const [service, setService] = useState('')
  const [decoded, setDecoded] = useState<ResponseOf<'decodeToken'>>()
  const action = useAction()
  const submit = (event: Event) => {
    event.preventDefault()
    setDecoded(undefined)
    void action.run(async () => setDecoded(await call('decodeToken', { credential, service })))
  }
  return (
    <section class="card">
      <h2>Read a credential</h2>
      <form onSubmit={submit}>
        <Field
          label="Credential"
          lines={3}
          value={credential}
          onInput={setCredential}
          required
          help="An Authorization header, or a macaroon in base64 or hex"
        />
        <Field label="Service that it is shown to" value={service} onInput={setService} />
        <button type="submit" disabled={action.busy}>
          Read it
        </button>
      </form>
      <Trouble error={action.error} />
      {decoded && <Decoded token={decoded} />}
    </section>
  )
}

function Decoded({ token }: { readonly token: ResponseOf<'decodeToken'> }) {
  return (
    <>
      <dl aria-live="polite">
        <dt>Verdict</dt>
        <dd>
          <State word={token.verdict} />
        </dd>
        <dt>Token</dt>
        <dd>
          <code>{token.token_id}</code>
        </dd>
        <dt>Payment hash</dt>
        <dd>
          <code>{token.payment_hash}</code>
        </dd>
        <dt>Ends</dt>
        <dd>{shownTime(token.expires_at)}</dd>
      </dl>
      <Table
        label="Caveats"
        head={['Condition', 'Value']}
        empty={`${shownCount(0)} caveats.`}
        rows={token.caveats.map(({ condition, value }, n) => ({
          key: String(n),
          cells: [<code>{condition}</code>, <code>{value}</code>],
        }))}
      />
    </>
  )
}
