/** For who came without a link. */
import { useState } from 'preact/hooks'
import { logIn, type Session } from '../api.ts'
import { useAction } from '../load.ts'
import { Field } from '../parts/field.tsx'
import { Trouble } from '../parts/notice.tsx'

interface LoginProps {
  /** Why the link did not work. */
  readonly error: unknown
  readonly onLogin: (session: Session) => void
}

export function Login({ error, onLogin }: LoginProps) {
  const [macaroon, setMacaroon] = useState('')
  const action = useAction()
  const submit = (event: Event) => {
    event.preventDefault()
    void action.run(async () => onLogin(await logIn({ macaroon: macaroon.trim() })))
  }
  return (
    <main class="narrow">
      <h1 class="brand">Pinhole</h1>
      <div class="card">
        <Trouble error={action.error ?? error} />
        <p>
          Open the link that <code>pinhole admin login</code> prints on the machine of the hub. It
          works once, for five minutes.
        </p>
        <form onSubmit={submit}>
          <Field
            label="Or log in with a macaroon, in hex"
            type="password"
            value={macaroon}
            onInput={setMacaroon}
            required
            help="Of admin.macaroon, or one that was baked of it: its limits are this session's too."
          />
          <button type="submit" class="primary" disabled={action.busy}>
            Log in
          </button>
        </form>
      </div>
    </main>
  )
}
