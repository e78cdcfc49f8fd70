/**
 * Two cores over a bad link in virtual time, 10,000 seeds. What must hold: what one end sends the other
 * gets once and in order, all of it unless the connection ends with a coded error; and nothing stalls
 * longer than the resend bound: each interval of `MAX_RESEND_MS` in which the link loses nothing brings
 * something across.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Effect, Event, Role } from '../../../mailbox/gbn/events.ts'
import { MAX_RESEND_MS } from '../../../mailbox/gbn/round-trip.ts'
import { PinholeError } from '../../../src/base/errors.ts'
import { GoMachine } from './go-machine.ts'
import { CoreMachine, type Machine } from './machine.ts'
import { Agenda, Direction, random, type Weather } from './simulated-link.ts'

const SEEDS = 10_000
const GO_SEEDS = 1000

/** The link's late packets and the timer's fraction. */
const SLACK_MS = 1000

/** No run of virtual time may take longer: that would be a stall. */
const LONGEST_RUN_MS = 3_600_000

interface Plan {
  readonly messages: number
  /** Longest pause between two messages. */
  readonly pauseMs: number
  /** Pause before each read; 0: reads at once. */
  readonly readMs: number
}

/** One end: a core, an application that sends and reads by plan, and what is measured. */
class End {
  peer: End | undefined
  out: Direction | undefined
  error: PinholeError | undefined
  over = false
  sent = 0
  received = 0
  dataPackets = 0
  longestGapMs = 0
  longestGapLosses = 0
  readonly plan: Plan
  readonly #machine: Machine
  readonly #agenda: Agenda
  readonly #random: () => number
  #unread = 0
  #timerAt = Infinity
  #lastAt = 0
  #lossesThen = 0

  constructor(machine: Machine, plan: Plan, agenda: Agenda, random: () => number) {
    this.#machine = machine
    this.plan = plan
    this.#agenda = agenda
    this.#random = random
  }

  /** Whether our core runs here. */
  get isOurs(): boolean {
    return this.#machine instanceof CoreMachine
  }

  start(): void {
    this.#apply(this.#machine.start(this.#agenda.now))
    this.#arm()
  }

  on(event: Event): void {
    if (this.over) return
    this.#apply(this.#machine.on(event))
    this.#arm()
    if (this.isOurs && this.#machine.outstanding > 0) {
      const waitMs = this.#machine.deadline - this.#agenda.now
      assert.ok(waitMs <= MAX_RESEND_MS + 1, `nothing falls due for ${waitMs} ms`)
    }
  }

  /** Sends what the plan and the window allow. */
  pump(): void {
    if (this.over || this.sent >= this.plan.messages || !this.#machine.hasRoom) return
    const message = Uint8Array.of(this.sent & 255, this.sent >> 8, ...new Uint8Array(this.sent % 7))
    this.sent++
    if (this.peer?.received === this.sent - 1) this.peer.expectFromNow()
    this.on({ type: 'message', message, now: this.#agenda.now })
    const pauseMs = this.plan.pauseMs * this.#random()
    this.#agenda.at(this.#agenda.now + pauseMs, () => this.pump())
  }

  /** Starts to measure the wait for the next message. */
  expectFromNow(): void {
    this.#lastAt = this.#agenda.now
    this.#lossesThen = this.#losses()
  }

  #losses(): number {
    return (this.out?.lost ?? 0) + (this.peer?.out?.lost ?? 0)
  }

  #apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          if (effect.packet[0] === 2 && effect.packet[3] === 0) this.dataPackets++
          this.out?.send(effect.packet)
          break
        case 'opened':
          this.#agenda.at(this.#agenda.now, () => this.pump())
          break
        case 'deliver':
          this.#delivered(effect.message)
          break
        case 'ended':
          this.over = true
          this.error = effect.error
          break
      }
    }
  }

  #delivered(message: Uint8Array): void {
    const number = (message[0] ?? 0) | ((message[1] ?? 0) << 8)
    assert.equal(number, this.received, 'out of order, lost or doubled')
    assert.equal(message.length, 2 + (number % 7))
    this.received++
    const gapMs = this.#agenda.now - this.#lastAt
    if (gapMs > this.longestGapMs) {
      this.longestGapMs = gapMs
      this.longestGapLosses = this.#losses() - this.#lossesThen
    }
    this.expectFromNow()
    this.#unread++
    assert.ok(!this.isOurs || this.#unread <= 40, 'the receive queue grew beyond its bound')
    this.#agenda.at(this.#agenda.now + this.plan.readMs * this.#unread, () => {
      this.#unread--
      this.on({ type: 'read', now: this.#agenda.now })
    })
  }

  #fire(): void {
    this.on({ type: 'timer', busy: false, now: this.#agenda.now })
    this.pump()
  }

  #arm(): void {
    const at = this.#machine.deadline
    if (at >= this.#timerAt || this.over) return
    this.#timerAt = at
    this.#agenda.at(at, () => {
      if (this.#timerAt !== at) return
      this.#timerAt = Infinity
      if (this.#machine.deadline > this.#agenda.now) this.#arm()
      else this.#fire()
    })
  }
}

interface Outcome {
  readonly ends: readonly [End, End]
  readonly weather: Weather
  readonly complete: boolean
}

/** Which end is Go's, if any: its link loses less, and keeps order as a mailbox does. */
function simulate(seed: number, go?: Role): Outcome {
  const dice = random(seed)
  const share = (most: number, chance: number) => (dice() < chance ? dice() * most : 0)
  const clean = dice() < 0.1
  const weather: Weather = {
    loss: clean ? 0 : share(go ? 0.1 : 0.3, 0.8),
    duplication: clean || go ? 0 : share(0.1, 0.5),
    displacement: clean || go ? 0 : share(0.2, 0.5),
    delayMs: share(500, 0.9),
    jitterMs: share(50, 0.5),
  }
  const agenda = new Agenda()
  const plan = (): Plan => ({
    messages: Math.floor(dice() * 60),
    pauseMs: share(400, 0.5),
    readMs: !clean && dice() < 0.1 ? dice() * 300 : 0,
  })
  const end = (role: Role) => {
    const machine = role === go ? new GoMachine(role) : new CoreMachine(role)
    return new End(machine, plan(), agenda, dice)
  }
  const [client, server] = [end('client'), end('server')]
  const toward = (end: End) =>
    new Direction(agenda, dice, weather, (packet) => {
      end.on({ type: 'packet', bytes: packet, now: agenda.now })
      agenda.at(agenda.now, () => end.pump())
    })
  client.out = toward(server)
  server.out = toward(client)
  client.peer = server
  server.peer = client
  client.start()
  server.start()
  const complete = () =>
    client.received === server.plan.messages && server.received === client.plan.messages
  while (!client.error && !server.error && !complete()) {
    assert.ok(agenda.next(), 'nothing left to happen, yet messages are missing')
    assert.ok(agenda.now < LONGEST_RUN_MS, 'stalled')
  }
  return { ends: [client, server], weather, complete: complete() }
}

/** Runs seeds 1 to `seeds` and checks each; @returns how many got everything across. */
function simulateAll(seeds: number, go?: Role): number {
  const codes = new Map<string, number>()
  let [completed, longestMs, needless] = [0, 0, 0]
  for (let seed = 1; seed <= seeds; seed++) {
    const { ends, weather, complete } = inContext(seed, () => simulate(seed, go))
    if (complete) completed++
    const calm = weather.loss + weather.duplication + weather.displacement === 0
    for (const [end, sender] of [ends, [ends[1], ends[0]]] as const) {
      if (end.error) {
        assert.ok(end.error instanceof PinholeError)
        codes.set(end.error.code, (codes.get(end.error.code) ?? 0) + 1)
      }
      if (end.plan.readMs > 0 || !sender.isOurs) continue
      longestMs = Math.max(longestMs, end.longestGapMs)
      const roundTripMs = 2 * (weather.delayMs + weather.jitterMs)
      const boundMs = (end.longestGapLosses + 1) * MAX_RESEND_MS + roundTripMs + SLACK_MS
      assert.ok(end.longestGapMs <= boundMs, `seed ${seed}: stalled for ${end.longestGapMs} ms`)
      if (calm) needless += sender.dataPackets - sender.sent
      if (calm) assert.ok(complete, `seed ${seed}: a link without loss failed`)
    }
  }
  console.log({ completed, seeds, longestMs, needless, errors: Object.fromEntries(codes) })
  assert.equal(needless, 0, 'packets were resent although none was lost')
  return completed
}

test(`${SEEDS} seeds: all once and in order or a coded error, no stall beyond the resend bound`, () => {
  const completed = simulateAll(SEEDS)
  assert.ok(completed > 0.98 * SEEDS, `only ${completed} runs got everything across`)
})

for (const role of ['client', 'server'] as const) {
  test(`${GO_SEEDS} seeds with a ${role} that behaves like Go's`, () => {
    const completed = simulateAll(GO_SEEDS, role)
    assert.ok(completed > 0.9 * GO_SEEDS, `only ${completed} runs got everything across`)
  })
}

function inContext<T>(seed: number, run: () => T): T {
  try {
    return run()
  } catch (reason) {
    throw new Error(`seed ${seed}: ${reason instanceof Error ? reason.message : String(reason)}`, {
      cause: reason,
    })
  }
}

test('the same seed gives the same run', () => {
  const trace = () => {
    const { ends } = simulate(77)
    return ends.map((end) => [end.received, end.dataPackets, end.longestGapMs])
  }
  assert.deepEqual(trace(), trace())
})
