/** An invoice as wallets scan it: dark on light also where the page is dark. */
import { create } from 'qrcode'

const RIM = 3

export function Qr({ invoice }: { readonly invoice: string }) {
  const { modules } = create(`LIGHTNING:${invoice.toUpperCase()}`, { errorCorrectionLevel: 'L' })
  const across = modules.size + 2 * RIM
  let path = ''
  for (let at = 0; at < modules.data.length; at++) {
    if (!modules.data[at]) continue
    path += `M${RIM + (at % modules.size)} ${RIM + Math.floor(at / modules.size)}h1v1h-1z`
  }
  return (
    <svg class="qr" viewBox={`0 0 ${across} ${across}`} role="img" aria-label="Invoice as QR code">
      <path class="ground" d={`M0 0h${across}v${across}h-${across}z`} />
      <path class="dots" d={path} />
    </svg>
  )
}
