/** What runs in the payment page: a countdown, a button to copy, and waiting for the payment. */

/** Where pages ask for their credentials; the pay id follows. */
export const PAY_PATH = '/_pinhole/pay/'
/** Names of the form's fields. */
export const FIELDS = { macaroon: 'macaroon', service: 'service', url: 'url' } as const

/** In the page as it is; the page's policy names its hash. Without it the form's own button does the same. */
export const SCRIPT = `
const form = document.getElementById('pay')
const status = document.getElementById('status')
const left = document.getElementById('left')
const invoice = document.getElementById('invoice')
const expires = Number(document.body.dataset.expires)
const say = (text) => { if (status.textContent !== text) status.textContent = text }
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
form.querySelector('button').hidden = true
document.getElementById('copy').hidden = false
document.getElementById('copy').addEventListener('click', async (event) => {
  const button = event.currentTarget
  try {
    await navigator.clipboard.writeText(invoice.value)
  } catch {
    invoice.select()
    document.execCommand('copy')
  }
  button.textContent = 'Copied'
  setTimeout(() => { button.textContent = 'Copy' }, 2000)
})
const count = () => {
  const seconds = Math.floor((expires - Date.now()) / 1000)
  if (seconds <= 0) {
    left.textContent = ''
    return say('This invoice has expired. Unless you have paid it, reload the page for a new one.')
  }
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const rest = String(seconds % 60).padStart(2, '0')
  const time = hours > 0 ? hours + ':' + String(minutes).padStart(2, '0') + ':' + rest : minutes + ':' + rest
  // Apart from the status, which screen readers speak whenever it changes.
  left.textContent = 'The invoice is good for ' + time + '.'
  say('Waiting for the payment.')
}
const stop = (timer, text) => {
  clearInterval(timer)
  left.textContent = ''
  say(text)
}
const ask = async () => {
  const answer = await fetch(form.action, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams(new FormData(form)),
    cache: 'no-store',
  })
  if (answer.status === 404) return 'gone'
  return answer.ok ? (await answer.json()).state : 'open'
}
const run = async () => {
  const timer = setInterval(count, 1000)
  count()
  for (;;) {
    const asked = Date.now()
    const state = await ask().catch(() => 'open')
    if (state === 'paid') {
      stop(timer, 'Paid. Here you go \\u2026')
      location.reload()
      return
    }
    if (state === 'gone') {
      stop(timer, 'This offer is no longer known here. Reload the page for a new one.')
      return
    }
    await wait(Math.max(500, 3000 - (Date.now() - asked)))
  }
}
if (navigator.cookieEnabled) run()
else {
  document.getElementById('offer').hidden = true
  say('What you buy here is kept in a cookie. Please allow cookies for this site, then reload the page.')
}
`
