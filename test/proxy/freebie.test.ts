import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Freebies } from '../../proxy/freebie.ts'
import { service } from './services.ts'

const freebie = (free: number, name = 'paid') => service({ name, auth: { level: 'freebie', free } })

test('each network has its requests of each service, once', () => {
  const freebies = new Freebies()
  const taken = (prefix: string, of = freebie(2)) => freebies.take(of, prefix)
  assert.deepEqual([taken('a/24'), taken('a/24'), taken('a/24')], [true, true, false])
  assert.equal(taken('b/24'), true)
  assert.equal(taken('a/24', freebie(1, 'other')), true)
  assert.equal(taken('a/24'), false)
})

test('none are free of a service that sells all, or that sells nothing', () => {
  const freebies = new Freebies()
  assert.equal(freebies.take(freebie(0), 'a/24'), false)
  assert.equal(freebies.take(service(), 'a/24'), false)
  assert.equal(freebies.take(service({ auth: { level: 'off' } }), 'a/24'), false)
})

test('one that is given back can be taken again, and no more than were taken', () => {
  const freebies = new Freebies()
  assert.equal(freebies.take(freebie(1), 'a/24'), true)
  freebies.giveBack(freebie(1), 'a/24')
  freebies.giveBack(freebie(1), 'a/24')
  freebies.giveBack(freebie(1), 'b/24')
  for (const prefix of ['a/24', 'b/24']) {
    assert.equal(freebies.take(freebie(1), prefix), true)
    assert.equal(freebies.take(freebie(1), prefix), false)
  }
})

test('what was taken counts on when the number changes', () => {
  const freebies = new Freebies()
  assert.equal(freebies.take(freebie(1), 'a/24'), true)
  assert.equal(freebies.take(freebie(2), 'a/24'), true)
  assert.equal(freebies.take(freebie(2), 'a/24'), false)
})

test('100,000 networks are counted; the one not seen longest is forgotten', () => {
  const freebies = new Freebies()
  const paid = freebie(1)
  for (let i = 0; i < 100_000; i++) freebies.take(paid, `${i}`)
  assert.equal(freebies.take(paid, '0'), false)
  assert.equal(freebies.take(paid, 'new'), true)
  assert.equal(freebies.take(paid, '0'), false)
  assert.equal(freebies.take(paid, '1'), true)
})
