// Who comes from the same address, and who has the most: asked of the system late, a few at a time, and never wrong.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import { networkOf } from '../../src/protocol/ipAddress.js'
import { Addresses } from '../../src/server/admission/addresses.js'
import { Census } from '../../src/server/admission/census.js'
import { limitsOf } from '../../src/server/options.js'
import { Random, seed } from '../support/random.js'

describe('one address', () => {
  const same: Readonly<Record<string, readonly string[]>> = {
    'is an IPv4 address, however it is written': [
      '192.0.2.1',
      '::ffff:192.0.2.1',
      '::FFFF:c000:201',
      '64:ff9b::192.0.2.1',
    ],
    'is the first 64 bits of an IPv6 address': ['2001:db8::1', '2001:DB8:0:0:ffff::', '2001:db8::192.0.2.1'],
    'is all of a link-local one, which tells machines apart': ['fe80::1%eth0'],
    'is another IPv4 address': ['192.0.2.2'],
    'is another network': ['2001:db8:0:1::1'],
    'is another machine of a link': ['fe80::2%eth0'],
    'is what is no address': ['unknown'],
  }
  for (const [name, [first = '', ...others]] of Object.entries(same)) {
    test(name, () => {
      for (const other of others) assert.equal(networkOf(other), networkOf(first), other)
      const firsts = Object.values(same).map(([one = '']) => networkOf(one))
      assert.equal(firsts.filter((one) => one === networkOf(first)).length, 1)
    })
  }
})

test('members are counted as a plain list would count them, and the crowd is in the order in which they came', () => {
  const random = new Random(seed)
  for (let round = 0; round < 30; round++) {
    const all = new Set<{ address: string | undefined }>()
    const addresses = new Addresses(all, ({ address }) => address)
    let complete = false
    for (let step = 0; step < 300; step++) {
      if (random.chance(0.6)) {
        const address = random.pick(['10.0.0.1', '10.0.0.2', '::1', '10.0.0.3', 'none'])
        const member = { address: address === 'none' ? undefined : address }
        addresses.add(member)
        all.add(member)
      } else {
        if (all.size === 0) continue
        const member = random.pick([...all])
        all.delete(member)
        addresses.remove(member)
      }
      if (random.chance(0.02)) {
        addresses.clear()
        complete = false
      }
      if (random.chance(0.3)) addresses.ask(random.below(5))
      if (random.chance(0.05)) {
        addresses.ask(Infinity)
        complete = true
      }
      if (!complete) continue
      const of = (address: string) => [...all].filter((member) => member.address === address)
      const counts = ['10.0.0.1', '10.0.0.2', '::1', '10.0.0.3'].map((address) => of(address).length)
      assert.deepEqual(
        ['10.0.0.1', '10.0.0.2', '::1', '10.0.0.3'].map((address) => addresses.count(address)),
        counts,
        `SEED=${seed}`,
      )
      const crowded = [...addresses.mostCrowded()]
      const most = Math.max(...counts)
      const [first] = crowded
      assert.equal(crowded.length, [...all].filter(({ address }) => address !== undefined).length, `SEED=${seed}`)
      if (first?.address !== undefined) assert.deepEqual(crowded.slice(0, most), of(first.address), `SEED=${seed}`)
    }
  }
})

describe('the census', () => {
  /** So many connections that were let in, and how often addresses were asked for at each arrival. */
  function admit(limits: { maxConnections: number; maxConnectionsPerAddress?: number }, from: (at: number) => string) {
    const connections = new Set<Connection<unknown>>()
    const census = new Census(limitsOf(limits), connections)
    const asked: number[] = []
    let refusal: number | undefined
    for (let at = 0; refusal === undefined; at++) {
      let count = 0
      const connection = {
        get remoteAddress() {
          count++
          asked[at] = (asked[at] ?? 0) + 1
          return from(at)
        },
      } as Connection<unknown>
      refusal = census.refusal(connection)?.status
      if (refusal !== undefined) break
      census.add(connection)
      connections.add(connection)
      assert.ok(count <= 2)
    }
    return { connections, census, asked, refusal }
  }

  test('lets one address have seven eighths by default, rounded up', () => {
    for (const maxConnections of [8, 9, 15, 1000]) {
      const { connections, refusal } = admit({ maxConnections }, () => '192.0.2.1')
      assert.deepEqual([connections.size, refusal], [Math.ceil((maxConnections * 7) / 8), 429])
    }
    assert.equal(admit({ maxConnections: 3 }, () => '192.0.2.1').refusal, 503)
  })

  test('keeps the rest for others, of whom each is let in', () => {
    const { connections, refusal } = admit({ maxConnections: 800 }, (at) =>
      at < 700 ? '192.0.2.1' : `198.51.100.${at % 250}`,
    )
    assert.deepEqual([connections.size, refusal], [800, 503])
  })

  test('finds those who came before addresses mattered', () => {
    for (const limit of [1, 2, 3, 4, 5, 100, 1001]) {
      const from = (at: number) => (at % 3 === 0 ? '192.0.2.9' : '192.0.2.1')
      const { connections, refusal } = admit({ maxConnections: 5000, maxConnectionsPerAddress: limit }, from)
      const ones = [...connections].filter(({ remoteAddress }) => remoteAddress === '192.0.2.1').length
      assert.deepEqual([ones <= limit, refusal], [true, 429], `${limit}`)
      const most = Math.max(ones, connections.size - ones)
      assert.equal(most, limit)
    }
  })

  test('asks nobody where there are few, and each only once where there are many', () => {
    const few = admit({ maxConnections: 100, maxConnectionsPerAddress: 100 }, () => '192.0.2.1')
    assert.deepEqual(few.asked, [])
    const many = admit({ maxConnections: 1000 }, (at) => `192.0.2.${at % 250}`)
    assert.equal(Math.max(...many.asked.map((count) => count ?? 0)), 2) // once to let it in, once to know it later
    assert.equal(
      many.asked.slice(0, 800).every((count) => count === 1),
      true,
    )
  })

  test('knows no more of those who have left', () => {
    const { connections, census } = admit({ maxConnections: 80 }, () => '192.0.2.1')
    for (const connection of [...connections].slice(0, 60)) {
      connections.delete(connection)
      census.remove(connection)
    }
    for (let at = 0; at < 60; at++) {
      const connection = { remoteAddress: '192.0.2.1' } as Connection<unknown>
      assert.equal(census.refusal({ remoteAddress: '192.0.2.1' }), undefined)
      census.add(connection)
      connections.add(connection)
    }
    assert.equal(census.refusal({ remoteAddress: '::ffff:192.0.2.1' })?.status, 429)
    assert.equal(census.refusal({ remoteAddress: undefined }), undefined)
    assert.equal(census.refusal({ remoteAddress: '192.0.2.2' }), undefined)
  })
})
