/** One service: all its fields, checked by the hub as they are typed, and the prices that it had. */
import { useEffect, useState } from 'preact/hooks'
import type { Service } from '../../../src/admin/contract.ts'
import { ApiError, call } from '../api.ts'
import { shownSats, shownTime } from '../format.ts'
import { type Action, useAction, useLoad, useSettled } from '../load.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Choice, Field, Switch } from '../parts/field.tsx'
import { Trouble } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { go } from '../route.ts'
import {
  type Draft,
  draftOf,
  fieldNamedIn,
  FieldProblem,
  type FieldSpec,
  GROUPS,
  NEW,
  requestOf,
} from '../service-draft.ts'

/** Without a name a new one. */
export function ServicePage({ name }: { readonly name: string | undefined }) {
  return name === undefined ? <ServiceForm /> : <KnownService name={name} />
}

function KnownService({ name }: { readonly name: string }) {
  const { value, error, reload } = useLoad('getService', { name })
  if (!value) return <Trouble error={error} />
  return (
    <>
      <Trouble error={error} />
      <ServiceForm key={value.updated_at} service={value} onSaved={reload} />
      <Prices key={`prices ${value.updated_at}`} name={name} />
    </>
  )
}

function Prices({ name }: { readonly name: string }) {
  const { value, error } = useLoad('listPrices', { name })
  return (
    <section class="card">
      <h2>Prices so far</h2>
      <Trouble error={error} />
      {value && (
        <Table
          label="Prices"
          head={['Price', 'Since', 'Set by']}
          empty="No price was kept."
          rows={value.prices.map(({ price, since, by }, n) => ({
            key: String(n),
            cells: [shownSats(price), shownTime(since), by],
          }))}
        />
      )}
    </section>
  )
}

interface Problem {
  readonly field: string | undefined
  readonly text: string
}

const problemOf = (error: unknown): Problem | undefined => {
  if (error instanceof FieldProblem) return { field: error.field, text: error.message }
  if (error instanceof ApiError && error.code === 'ERR_ADMIN_REQUEST') {
    return { field: fieldNamedIn(error.message), text: error.message }
  }
  if (error instanceof ApiError && error.code === 'ERR_ADMIN_EXISTS') {
    return { field: 'name', text: error.message }
  }
  return undefined
}

const CHECK_AFTER_MS = 400

/** What the hub would say of `draft`; asked when nothing was typed for a moment. */
function useProblem(draft: Draft, existing: boolean, changed: boolean): Problem | undefined {
  const [problem, setProblem] = useState<Problem>()
  const settled = useSettled(draft, CHECK_AFTER_MS)
  useEffect(() => {
    if (!changed) return
    const left = new AbortController()
    const keep = (error?: unknown) => left.signal.aborted || setProblem(problemOf(error))
    save(settled, existing, { dryRun: true, signal: left.signal }).then(() => keep(), keep)
    return () => left.abort()
  }, [settled, existing, changed])
  return changed ? problem : undefined
}

async function save(
  draft: Draft,
  existing: boolean,
  { dryRun = false, signal }: { dryRun?: boolean; signal?: AbortSignal } = {},
): Promise<Service> {
  const request = { ...requestOf(draft), ...(dryRun ? { dry_run: true } : {}) }
  return call(existing ? 'updateService' : 'createService', request, signal)
}

interface FormProps {
  readonly service?: Service
  readonly onSaved?: () => void
}

function ServiceForm({ service, onSaved }: FormProps) {
  const [draft, setDraft] = useState<Draft>(() => (service ? draftOf(service) : NEW))
  const [changed, setChanged] = useState(false)
  const action = useAction()
  const problem = useProblem(draft, service !== undefined, changed)
  const set = (name: string, value: string | boolean) => {
    setChanged(true)
    setDraft((last) => ({ ...last, [name]: value }))
  }
  const submit = async (event: Event) => {
    event.preventDefault()
    const saved = await action.run(() => save(draft, service !== undefined))
    if (!saved) return
    if (onSaved) onSaved()
    else go('service', String(draft['name']).trim())
  }
  const shown = problem ?? problemOf(action.error)
  return (
    <form onSubmit={(event) => void submit(event)}>
      {shown === undefined && <Trouble error={action.error} />}
      {shown && shown.field === undefined && <Trouble error={shown.text} />}
      {!service && (
        <Field
          label="Name"
          value={String(draft['name'])}
          onInput={(value) => set('name', value)}
          required
          problem={shown?.field === 'name' ? shown.text : undefined}
        />
      )}
      {GROUPS.map((group, n) => (
        <details key={group.title} class="card" open={n === 0 || holds(group.fields, shown)}>
          <summary>{group.title}</summary>
          <div class="grid">
            {group.fields.map((spec) => (
              <Control key={spec.name} spec={spec} draft={draft} set={set} problem={shown} />
            ))}
          </div>
        </details>
      ))}
      <Buttons service={service} action={action} blocked={problem !== undefined} />
    </form>
  )
}

const holds = (fields: readonly FieldSpec[], problem: Problem | undefined): boolean =>
  fields.some(({ name }) => name === problem?.field)

interface ControlProps {
  readonly spec: FieldSpec
  readonly draft: Draft
  readonly set: (name: string, value: string | boolean) => void
  readonly problem: Problem | undefined
}

function Control({ spec, draft, set, problem }: ControlProps) {
  const { name, label, kind, help, options } = spec
  const value = draft[name] ?? ''
  const onInput = (next: string | boolean) => set(name, next)
  if (kind === 'flag') return <Switch label={label} checked={value === true} onInput={onInput} />
  if (options) {
    return <Choice label={label} value={String(value)} options={options} onInput={onInput} />
  }
  const many = kind === 'lines' || kind === 'pairs' || kind === 'limits'
  return (
    <Field
      label={label}
      value={String(value)}
      onInput={onInput}
      help={help}
      lines={many ? 3 : undefined}
      problem={problem?.field === name ? problem.text : undefined}
    />
  )
}

interface ButtonsProps {
  readonly service: Service | undefined
  readonly action: Action
  readonly blocked: boolean
}

function Buttons({ service, action, blocked }: ButtonsProps) {
  const [asking, setAsking] = useState(false)
  return (
    <div class="row">
      <button type="submit" class="primary" disabled={action.busy || blocked}>
        {service ? 'Save' : 'Add'}
      </button>
      {service && (
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          Delete
        </button>
      )}
      {service && asking && (
        <Confirm
          title={`Delete ${service.name}?`}
          verb="Delete the service"
          onConfirm={async () => {
            await call('deleteService', { name: service.name })
            go('services')
          }}
          onClose={() => setAsking(false)}
        >
          <p>It is not sold any more, and its tokens open nothing from now on.</p>
        </Confirm>
      )}
    </div>
  )
}
