import assert from 'node:assert/strict'
import test from 'node:test'
import { isOfNetwork } from '../../src/nodes/network.ts'

const PREFIXES = {
  mainnet: 'lnbc',
  testnet: 'lntb',
  testnet4: 'lntb',
  signet: 'lntbs',
  simnet: 'lnsb',
  regtest: 'lnbcrt',
}

test('an invoice is of the network that its prefix names, with an amount or without', () => {
  for (const [network, prefix] of Object.entries(PREFIXES)) {
    for (const [other, begin] of Object.entries(PREFIXES)) {
      for (const rest of ['1pvjluez', '20n1pvjluez', '1M1PVJ'.toUpperCase()]) {
        const expected = begin === prefix
        assert.equal(isOfNetwork(begin + rest, network), expected, `${other} in ${network}`)
      }
    }
    assert.equal(isOfNetwork(`${prefix}20n1pvjluez`, ''), true)
    assert.equal(isOfNetwork('nonsense', network), false)
  }
})
