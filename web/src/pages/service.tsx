/** One service: all its fields, checked by the hub as they are typed, and the prices that it had. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Service } from '../../../src/admin/contract.ts'
import { ApiError, call } from '../api.ts'
import { useEvent } from '../events.ts'
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
  const { value, error, reload } = useLoad('listServices', {})
  useEvent(({ type }) => void (type === 'services' && reload()))
  const service = value?.services.find((one) => one.name === name)
  return (
    <>
      <Trouble error={error} />
      {value && !service && <p class="empty">There is no service of that name.</p>}
      {service && (
        <>
          <ServiceForm service={service} onSaved={reload} />
          <Prices key={`prices ${service.updated_at}`} name={name} />
        </>
      )}
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

/** What the hub would say of `form`; asked when nothing was typed for a moment. */
function useProblem(form: Form): Problem | undefined {
  const [problem, setProblem] = useState<Problem>()
  const settled = useSettled(form, CHECK_AFTER_MS)
  const { changed } = form
  useEffect(() => {
    if (!settled.changed) return
    const left = new AbortController()
    const keep = (error?: unknown) => left.signal.aborted || setProblem(problemOf(error))
    save(settled, { dryRun: true, signal: left.signal }).then(() => keep(), keep)
    return () => left.abort()
  }, [settled])
  return changed ? problem : undefined
}

async function save(
  { draft, before }: Form,
  { dryRun = false, signal }: { dryRun?: boolean; signal?: AbortSignal } = {},
): Promise<Service> {
  const request = { ...requestOf(draft, before), ...(dryRun ? { dry_run: true } : {}) }
  return call(before ? 'updateService' : 'createService', request, signal)
}

/** What is typed, over what there is. */
interface Form {
  readonly draft: Draft
  /** Of a service that there is. */
  readonly before: Draft | undefined
  readonly changed: boolean
}

/** Fields that were not touched follow the service, whoever changes it; those that were stay as they were typed. */
function useForm(service: Service | undefined) {
  const [edits, setEdits] = useState<Draft>({})
  const at = service?.updated_at ?? ''
  /** What the first edit was made upon, and what was saved here. */
  const [upon, setUpon] = useState(at)
  const [savedAt, setSavedAt] = useState('')
  useEffect(() => {
    if (savedAt === '' || at < savedAt) return
    // What the hub made of it is shown from now on.
    setEdits({})
    setSavedAt('')
  }, [at, savedAt])
  const form = useMemo((): Form => {
    const before = service && draftOf(service)
    const draft = { ...(before ?? NEW), ...edits }
    return { draft, before, changed: Object.keys(edits).length > 0 }
  }, [service, edits])
  const set = (name: string, value: string | boolean) => {
    if (!form.changed) setUpon(at)
    setEdits((last) => ({ ...last, [name]: value }))
  }
  const overtaken = form.changed && at !== upon && at !== savedAt
  return { form, set, overtaken, saved: ({ updated_at: now }: Service) => setSavedAt(now) }
}

interface FormProps {
  readonly service?: Service
  readonly onSaved?: () => void
}

function ServiceForm({ service, onSaved }: FormProps) {
  const { form, set: edit, overtaken, saved } = useForm(service)
  const { draft } = form
  const action = useAction()
  const problem = useProblem(form)
  const set = (name: string, value: string | boolean) => {
    action.forget()
    edit(name, value)
  }
  const submit = async (event: Event) => {
    event.preventDefault()
    const done = await action.run(async () => saved(await save(form)))
    if (!done) return
    if (onSaved) onSaved()
    else go('service', String(draft['name']).trim())
  }
  const shown = problem ?? problemOf(action.error)
  return (
    <form onSubmit={(event) => void submit(event)}>
      <p role="status">
        {overtaken &&
          'It was changed elsewhere meanwhile. What you have not touched is shown as it is now.'}
      </p>
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
