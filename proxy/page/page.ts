/**
 * The 402 that a person sees: what it costs, a QR code and a link for the wallet. One file without anything
 * from elsewhere; its policy lets nothing run but the script whose hash it names. Without the script, and
 * once paid, the form's button leads on.
 */
import { createHash } from 'node:crypto'
import { toString as qrCode } from 'qrcode'
import { typed } from '../answer.ts'
import { toBase64 } from '../l402/base64.ts'
import type { Offer } from '../pay.ts'
import { FIELDS, PAY_PATH, SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

const sha256 = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const POLICY = [
  "default-src 'none'",
  `script-src ${sha256(SCRIPT)}`,
  `style-src ${sha256(STYLE)}`,
  'img-src data:',
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Headers of every page of ours. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  ...typed('text/html; charset=utf-8'),
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  Vary: 'Accept',
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escape = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

/** `12,345 sat`, with thousandths where there are any. */
export function formatAmount(msat: bigint): string {
  const whole = (msat / 1_000n).toString().replace(/\B(?=(?:\d{3})+$)/g, ',')
  const rest = msat % 1_000n
  const part = rest === 0n ? '' : `.${rest.toString().padStart(3, '0').replace(/0+$/, '')}`
  return `${whole}${part} sat`
}

/** What the page's form sends along. */
export interface PayForm {
  /** In base64. */
  readonly macaroon: string
  readonly service: string
  /** Path and query of what is bought. */
  readonly url: string
}

function formOf(payId: string, values: PayForm): string {
  const field = (name: keyof PayForm) =>
    `<input type="hidden" name="${FIELDS[name]}" value="${escape(values[name])}">`
  return `<form id="pay" method="post" action="${PAY_PATH}${escape(payId)}">
${field('macaroon')}
${field('service')}
${field('url')}
<button>I have paid</button>
</form>`
}

// An icon of its own, be it empty: whoever asked for /favicon.ico would ask for what may be for sale as well.
function frame(title: string, content: string, expiresAtMs = 0): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body data-expires="${expiresAtMs}">
<main>
${content}
</main>
</body>
</html>
`
}

/** The page of an offer; `url` is what was asked for, path and query, and is where it leads once paid. */
export async function paymentPage(offer: Offer, url: string): Promise<string> {
  const { invoice, macaroon, payId } = offer
  const { amountMsat, expiresAtMs } = invoice
  const name = escape(offer.service.name)
  const amount = formatAmount(amountMsat)
  const request = escape(invoice.paymentRequest)
  // Capitals only: a QR code packs them tighter (ISO/IEC 18004 §7.4.4), and bech32 reads either case.
  const code = await qrCode(`LIGHTNING:${invoice.paymentRequest.toUpperCase()}`, {
    type: 'svg',
    errorCorrectionLevel: 'L',
    margin: 2,
  })
  const content = `<h1>${name}</h1>
<p class="amount">${amount}</p>
<div id="offer">
<a class="code" href="lightning:${request}" aria-label="Pay with a Lightning wallet">${code.trim()}</a>
<textarea id="invoice" rows="4" readonly spellcheck="false" aria-label="Lightning invoice">${request}</textarea>
<div class="row"><a href="lightning:${request}">Open in wallet</a><button id="copy" hidden>Copy</button></div>
</div>
${formOf(payId, { macaroon: toBase64(macaroon), service: offer.service.name, url })}
<p id="status" role="status"></p>
<p id="left" role="timer"></p>
<script>${SCRIPT}</script>`
  return frame(`${amount}: ${offer.service.name}`, content, expiresAtMs)
}

/**
 * What the form's button leads to while the invoice is not paid. It has the same form again: on the way back
 * a browser asks anew and gets another invoice, and by that one a payment that was late opens nothing.
 */
export function notPaidPage(payId: string, values: PayForm): string {
  return frame(
    'Not paid yet',
    `<h1>Not paid yet</h1>
<p>The payment has not arrived. If it is on its way, press the button again in a moment.</p>
${formOf(payId, values)}
<p><a href="${escape(values.url)}">Ask for a new invoice</a></p>`,
  )
}
