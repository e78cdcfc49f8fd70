/** The newest lines of the log, and how the hub is. */
import { useState } from 'preact/hooks'
import type { LogLine, ResponseOf } from '../../../src/admin/contract.ts'
import { call, linkTo } from '../api.ts'
import { shownClock, shownDuration } from '../format.ts'
import { useAction, useLoad } from '../load.ts'
import { Choice } from '../parts/field.tsx'
import { State, Trouble } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'

const EVERY_MS = 5_000
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export function Logs() {
  return (
    <>
      <Health />
      <Copies />
      <Lines />
    </>
  )
}

function Health() {
  const info = useLoad('getInfo', {}, EVERY_MS)
  const health = useLoad('getHealth', {}, EVERY_MS)
  return (
    <section class="card" aria-label="Health">
      <Trouble error={info.error ?? health.error} />
      <dl>
        <dt>Health</dt>
        <dd>
          <State word={health.error === undefined ? (health.value?.status ?? '…') : 'error'} />
        </dd>
        {info.value && <Info info={info.value} />}
      </dl>
    </section>
  )
}

function Info({ info }: { readonly info: ResponseOf<'getInfo'> }) {
  return (
    <>
      <dt>Version</dt>
      <dd>{info.version}</dd>
      <dt>Running for</dt>
      <dd>{shownDuration(info.uptime_seconds)}</dd>
      <dt>Listens at</dt>
      <dd>
        <code>{info.listen_addr}</code> {info.insecure ? '(cleartext)' : '(TLS)'}
      </dd>
      <dt>Network</dt>
      <dd>
        {info.sandbox ? 'sandbox: no real money' : info.network || 'whichever the node is on'}
      </dd>
      <dt>Relay</dt>
      <dd>{info.relay_enabled ? 'on' : 'off'}</dd>
    </>
  )
}

function Copies() {
  const [made, setMade] = useState('')
  const action = useAction()
  const backUp = () =>
    action.run(async () => {
      const { file } = await call('backup', {})
      setMade(file)
    })
  return (
    <section>
      <div class="row">
        <a class="button" href={linkTo('exportConfig', {})} download="pinhole.yaml">
          Download the configuration
        </a>
        <button type="button" disabled={action.busy} onClick={() => void backUp()}>
          Back up the database
        </button>
      </div>
      <Trouble error={action.error} />
      <p role="status">{made && `The copy is at the hub: ${made}`}</p>
    </section>
  )
}

function Lines() {
  const [level, setLevel] = useState<LogLine['level']>('info')
  const { value, error } = useLoad('listLogs', { level, limit: 200 }, EVERY_MS)
  return (
    <section>
      <h2>Log</h2>
      <div class="row">
        <Choice
          label="From level"
          value={level}
          options={LEVELS.map((name) => [name, name] as const)}
          onInput={(next) => setLevel(LEVELS.find((name) => name === next) ?? 'info')}
        />
      </div>
      <Trouble error={error} />
      {value && (
        <Table
          label="Log"
          head={['At', 'Level', 'Part', 'What', 'More']}
          text={[3, 4]}
          empty="Nothing of that level was logged."
          rows={value.lines.map(({ at, level: word, part, text, fields }, n) => ({
            key: `${at} ${n}`,
            cells: [
              shownClock(at),
              <State word={word} />,
              part,
              text,
              <code>{moreOf(fields)}</code>,
            ],
          }))}
        />
      )}
    </section>
  )
}

const moreOf = (fields: LogLine['fields']): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
