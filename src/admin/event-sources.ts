/** Where the events of a hub come from. */
import { toHex } from '../base/bytes.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { ServiceBook } from '../selling/service-book.ts'
import type { SaleFeed } from '../store/sales.ts'
import type { HubEvents } from './hub-events.ts'

/** What happens where. */
export interface EventSources {
  readonly store: { readonly sales: SaleFeed }
  readonly nodes: Nodes | undefined
  readonly services: ServiceBook
}

/** Has `events` hear of all that happens in the parts of a hub, for as long as those last. */
export function listenTo({ store, nodes, services }: EventSources, events: HubEvents): void {
  store.sales.onOffered(({ service, priceMsat }) => {
    events.tell({ type: 'offered', service_name: service, price_msat: String(priceMsat) })
  })
  store.sales.onSettled(({ service, priceMsat, tokenId }) => {
    events.tell({
      type: 'settled',
      service_name: service,
      price_msat: String(priceMsat),
      token_id: tokenId ? toHex(tokenId) : '',
    })
  })
  services.onChange(() => events.tell({ type: 'services' }))
  const before = new Map<string, string>()
  nodes?.onChange(({ node, what }) => {
    const { name } = node
    const gone = what === 'removed'
    const state = gone ? 'removed' : node.state
    const reason = gone ? '' : (node.reason?.message ?? '')
    // A line says the same again with every try.
    if (before.get(name) === `${state} ${reason}`) return
    if (gone) before.delete(name)
    else before.set(name, `${state} ${reason}`)
    events.tell({ type: 'node', name, state, reason })
  })
}
