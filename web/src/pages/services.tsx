/** All services, in the order in which they are tried. */
import type { Service } from '../../../src/admin/contract.ts'
import { useEvent } from '../events.ts'
import { shownSats } from '../format.ts'
import { useLoad } from '../load.ts'
import { Trouble } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { hashOf } from '../route.ts'

function shownPrice({ auth, dynamic_price: asked, price }: Service): string {
  if (auth === 'off') return 'free'
  return asked.enabled ? 'asked each time' : shownSats(price)
}

export function Services() {
  const { value, error, reload } = useLoad('listServices', {})
  useEvent(({ type }) => void (type === 'services' && reload()))
  return (
    <>
      <Trouble error={error} />
      <p>
        <a class="button primary" href={hashOf('service')}>
          Add a service
        </a>
      </p>
      {value && (
        <Table
          label="Services"
          head={['Name', 'Price', 'Paths', 'Upstream', 'Payment', 'From']}
          empty="Nothing is sold yet."
          rows={value.services.map((service) => ({
            key: service.name,
            cells: [
              <a href={hashOf('service', service.name)}>{service.name}</a>,
              shownPrice(service),
              <code>{service.path_regexp || 'all'}</code>,
              <code>{`${service.protocol}://${service.address}`}</code>,
              service.auth || 'on',
              service.source,
            ],
          }))}
        />
      )}
    </>
  )
}
