/** All services, in the order in which they are tried. */
import { shownSats } from '../format.ts'
import { useLoad } from '../load.ts'
import { Trouble } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { hashOf } from '../route.ts'

export function Services() {
  const { value, error } = useLoad('listServices', {})
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
              service.dynamic_price.enabled ? 'asked each time' : shownSats(service.price),
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
