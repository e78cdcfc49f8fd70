/** Shows what the relay counts to Prometheus. The first four names are Aperture's. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { FACES } from './meter.ts'
import type { Relay } from './relay.ts'

/** Registers the relay's figures; they are read when they are asked for. Labels are closed sets. */
export function registerMetrics(relay: Relay, registry: Registry): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  }
  const counter = (name: string, help: string, value: () => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }
  const { boxes, meter, accounts } = relay
  const { activity } = meter
  gauge('hashmail_mailbox_count', 'boxes', () => boxes.size)
  gauge('hashmail_mailbox_active_sessions', 'sessions read from in the last 10 s', () => {
    return activity.counts().active
  })
  gauge('hashmail_mailbox_standby_sessions', 'sessions with fewer than 0.5 reads/s', () => {
    return activity.counts().standby
  })
  gauge('hashmail_mailbox_inuse_sessions', 'sessions with 0.5 reads/s or more', () => {
    return activity.counts().inUse
  })
  gauge('pinhole_relay_buffered_bytes', 'message bytes held', () => boxes.bytes.used)
  gauge('pinhole_relay_addresses', 'client addresses with something in use', () => accounts.size)
  counter('pinhole_relay_messages_total', 'messages written to readers', () => meter.messages)
  counter('pinhole_relay_message_bytes_total', 'bytes of those messages', () => meter.bytes)
  new Gauge({
    name: 'pinhole_relay_streams',
    help: 'open sends and receives',
    labelNames: ['face'],
    registers: [registry],
    collect() {
      for (const face of FACES) this.set({ face }, meter.streams[face])
    },
  })
  new Counter({
    name: 'pinhole_relay_refusals_total',
    help: 'refused requests and ended streams by error code',
    labelNames: ['code'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [code, count] of meter.refusals) this.inc({ code }, count)
    },
  })
}
