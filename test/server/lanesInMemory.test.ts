// Two parsers read upgrade requests: ours and node:http. Wherever ours takes one, both must read the same, or a request
// would mean one thing when it arrives whole and another when it arrives in pieces.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readRequestHead } from '../../src/protocol/requestHead.js'
import { effort } from '../support/effort.js'
import { firstLane, readByNode, secondLane } from '../support/httpLanes.js'
import { latin1, mutate, Random, requestOf, SAMPLE_KEY, upgradeRequest } from '../support/httpRequests.js'

const MUTATIONS = effort({ quick: 4000, full: 12_000 })

/** Checks a request that our parser takes against node:http; false if ours declines it. */
async function readTheSame(text: string): Promise<boolean> {
  const head = readRequestHead(text)
  if (head === undefined) return false
  const { method, target, headers, rest } = await readByNode(latin1(text))
  assert.deepEqual(
    { method, target, headers: { ...headers } },
    { method: 'GET', target: head.request.target, headers: { ...head.request.headers } },
    JSON.stringify(text),
  )
  if (rest !== undefined) assert.equal(rest, text.slice(head.length))
  return true
}

/** Checks a request that the first lane upgrades against the second lane; false if the first hands it over. */
async function upgradedTheSame(text: string): Promise<boolean> {
  const first = firstLane(latin1(text))
  if (first === undefined) return false
  assert.deepEqual(await secondLane([latin1(text)]), first, JSON.stringify(text.slice(0, 1000)))
  return true
}

describe('seeded mutations of an upgrade request', () => {
  test('are read the same by both parsers', async () => {
    const random = new Random(1)
    let taken = 0
    for (let count = 0; count < MUTATIONS; count++) if (await readTheSame(mutate(upgradeRequest(), random))) taken++
    assert.ok(taken > MUTATIONS / 10, `only ${taken} were taken`)
  })

  test('are upgraded by the second lane if they are by the first', async () => {
    const random = new Random(2)
    let taken = 0
    for (let count = 0; count < MUTATIONS; count++) if (await upgradedTheSame(mutate(upgradeRequest(), random))) taken++
    assert.ok(taken > MUTATIONS / 20, `only ${taken} were taken`)
  })
})

describe('in the second lane', () => {
  test('an upgrade request in two pieces, cut at any byte, is one request', async () => {
    const request = upgradeRequest({ Cookie: 'a=b' })
    const text = `${request}\x81\x85abcdefghi`
    const whole = firstLane(latin1(text))
    assert.ok(whole !== undefined)
    for (let cut = 1; cut < text.length; cut++) {
      const { upgraded, early } = await secondLane([latin1(text.slice(0, cut)), latin1(text.slice(cut))])
      assert.deepEqual(upgraded, whole.upgraded, `cut at ${cut}`)
      // What comes in a later piece than the end of the head is read by the transport.
      assert.equal(early, text.slice(request.length, cut >= request.length ? cut : undefined), `cut at ${cut}`)
    }
  })

  test('an upgrade request byte by byte is one request', async () => {
    const bytes = [...upgradeRequest()].map(latin1)
    assert.deepEqual(await secondLane(bytes), firstLane(latin1(upgradeRequest())))
  })
})

describe('every character', () => {
  test('at any place of the target', async () => {
    let taken = 0
    for (let code = 0; code < 256; code++) {
      for (const start of ['', '/', '/a', '/?', '/?a', '/#', '/#a', '/%', '//']) {
        const text = upgradeRequest({}, `GET ${start}${String.fromCharCode(code)}b HTTP/1.1`)
        if (await readTheSame(text)) taken++
      }
    }
    assert.ok(taken > 500, `only ${taken} were taken`)
  })

  test('in names and in values', async () => {
    let taken = 0
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code)
      for (const line of [`X${character}: v`, `${character}X: v`, `X: ${character}`, `X: a${character}b`]) {
        if (await readTheSame(requestOf(['Host: x', line]))) taken++
      }
    }
    assert.ok(taken > 250, `only ${taken} were taken`)
  })

  test('around and inside the tokens that make it an upgrade', async () => {
    let taken = 0
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code)
      for (const [name, token] of [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ] as const) {
        for (const value of [
          `${character}${token}`,
          `${token}${character}`,
          `x,${character}${token}`,
          `${token}${character},x`,
          `x${character},${token}`,
          `${token.slice(0, 3)}${character}${token.slice(3)}`,
        ]) {
          if (await upgradedTheSame(upgradeRequest({ [name]: value }))) taken++
        }
      }
    }
    assert.ok(taken >= 20, `only ${taken} were taken`)
  })
})

// What one lane refuses must not get in by the other: the first hands over what node:http may read another way.
describe('requests that the two could read differently', () => {
  const websocket = ['Host: x', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${SAMPLE_KEY}`]
  websocket.push('Sec-WebSocket-Version: 13')
  const fillers = (count: number): string[] => Array.from({ length: count }, (_, at) => `y${at.toString(36)}:`)

  for (const [name, text] of Object.entries({
    'a tab before the comma of Connection': upgradeRequest({ Connection: 'Upgrade\t, x' }),
    'a tab behind the last token of Connection': upgradeRequest({ Connection: 'x, Upgrade\t' }),
    'tabs on both sides of each comma of Connection': upgradeRequest({ Connection: 'a\t,\tUpgrade\t,\tb' }),
    'a header of 15,000 bytes': upgradeRequest({ Cookie: 'a'.repeat(15_000) }),
    "a header of 17,000 bytes, above node:http's limit of 16 KiB for a head": upgradeRequest({
      Cookie: 'a'.repeat(17_000),
    }),
    'a target of 17,000 bytes': upgradeRequest({}, `GET /${'a'.repeat(17_000)} HTTP/1.1`),
    '16 KiB of small headers': requestOf([
      ...websocket,
      ...Array.from({ length: 80 }, (_, n) => `y${n}: ${'z'.repeat(200)}`),
    ]),
    '900 headers before those that matter': requestOf([...fillers(900), ...websocket]),
    '1500 headers before those that matter': requestOf([...fillers(1500), ...websocket]),
    '1500 headers behind those that matter': requestOf([...websocket, ...fillers(1500)]),
    '3000 headers behind those that matter': requestOf([...websocket, ...fillers(3000)]),
  })) {
    test(name, async () => {
      // Handing over is an answer, too: then there is only one reading.
      if (!(await upgradedTheSame(text))) assert.equal(firstLane(latin1(text)), undefined)
    })
  }
})
