/** A labelled control with what is wrong with its value. */
import { useId } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onInput: (value: string) => void
  readonly type?: 'text' | 'number' | 'date' | 'search' | 'password' | undefined
  readonly lines?: number | undefined
  readonly help?: string | undefined
  readonly problem?: string | undefined
  readonly required?: boolean | undefined
  readonly readOnly?: boolean | undefined
  readonly placeholder?: string | undefined
  /** Of a date. */
  readonly max?: string | undefined
}

export function Field({ label, value, onInput, type, lines, help, problem, ...rest }: FieldProps) {
  const id = useId()
  const said = problem ?? help
  const control = {
    id,
    value,
    ...rest,
    spellcheck: false,
    autocomplete: 'off' as const,
    autocapitalize: 'off' as const,
    'aria-invalid': problem !== undefined,
    'aria-describedby': said === undefined ? undefined : `${id}-help`,
    onInput: (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value),
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {lines ? (
        <textarea {...control} rows={lines} />
      ) : (
        <input {...control} type={type ?? 'text'} />
      )}
      {said !== undefined && (
        <p id={`${id}-help`} class={problem === undefined ? 'help' : 'help bad'}>
          {said}
        </p>
      )}
    </div>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly value: string
  readonly onInput: (value: string) => void
  readonly options: readonly (readonly [value: string, text: string])[]
}

/** One of a few. */
export function Choice({ label, value, onInput, options }: ChoiceProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onInput(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </div>
  )
}

interface SwitchProps {
  readonly label: string
  readonly checked: boolean
  readonly onInput: (checked: boolean) => void
}

/** On or off. */
export function Switch({ label, checked, onInput }: SwitchProps) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onInput(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  )
}
