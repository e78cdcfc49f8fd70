/** What can be wrong with the hub. */
import type { DoctorOptions } from '../../doctor/doctor.ts'
import type { DoctorNode } from '../../doctor/check.ts'
import { publicUrl } from '../../doctor/places.ts'
import type { Invoices } from '../../invoices.ts'
import type { Nodes } from '../../nodes/nodes.ts'
import type { Finding } from '../contract.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'

/** `runDoctor`. Those who ask at the same time get the same findings: a look costs more than other questions. */
export function doctorOperations(deps: AdminDeps): Pick<Operations, 'runDoctor'> {
  const underWay = new Map<boolean, Promise<Finding[]>>()
  const look = ({ reconcile = false }: DoctorOptions) => {
    const running = underWay.get(reconcile)
    if (running) return running
    const started = examine(deps, { reconcile }).finally(() => underWay.delete(reconcile))
    underWay.set(reconcile, started)
    return started
  }
  return { runDoctor: async (request) => ({ findings: await look(request) }) }
}

// Loaded on use: what it looks with would make every start slower.
async function examine(deps: AdminDeps, options: DoctorOptions): Promise<Finding[]> {
  const { runDoctor } = await import('../../doctor/doctor.ts')
  return runDoctor(doctorDeps(deps), options)
}

const doctorDeps = ({ config, clock, services, store, nodes, invoices, ...deps }: AdminDeps) => ({
  config: config(),
  clock,
  address: deps.address(),
  adminAddress: config().admin.listenaddr === '' ? undefined : deps.adminAddress(),
  outside: publicUrl(config()),
  services: services.list().map(({ settings }) => settings),
  nodes: nodes && doctorNodes(nodes, invoices),
  ledger: store.transactions,
})

const doctorNodes = (nodes: Nodes, invoices: Invoices): DoctorNode[] =>
  invoices.state.map(({ node: name, state, subscribed }) => {
    const node = nodes.get(name)
    // Two checks ask the same.
    let survey: ReturnType<Nodes['survey']> | undefined
    return {
      name,
      kind: node?.kind ?? 'lnc',
      state,
      reason: node?.reason?.message ?? invoices.deaf(name) ?? '',
      subscribed,
      survey: () => (survey ??= nodes.survey(name)),
      rpc() {
        const { standing } = node?.line ?? {}
        return standing?.name === 'ready' ? standing.node.rpc : undefined
      },
    }
  })
