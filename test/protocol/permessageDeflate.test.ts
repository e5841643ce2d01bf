// permessage-deflate is agreed on before the first frame (RFC 7692, section 7.1). Both sides must mean the same by it, or
// one of them reads what it can't inflate. What a client offers wrongly is declined, and costs it nothing else.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { acceptDeflate, type DeflateParameters } from '../../src/protocol/permessageDeflate.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { acceptedByWs } from '../support/wsExtensions.js'

const ours: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 12,
}

function answer(header: string, wishes: Partial<DeflateParameters> = {}): string | undefined {
  return acceptDeflate(header, { ...ours, ...wishes })?.answer
}

describe('an offer', () => {
  const rows: readonly (readonly [header: string, answer: string | undefined])[] = [
    ['', undefined],
    ['permessage-deflate', 'permessage-deflate'],
    ['x-webkit-deflate-frame', undefined],
    ['permessage-bzip2, permessage-deflate', 'permessage-deflate'],
    ['x-webkit-deflate-frame; no_context_takeover, permessage-deflate', 'permessage-deflate'],
    // Examples of RFC 7692, sections 5.2, 7.1.1 to 7.1.3.
    ['permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits=12'],
    [
      'permessage-deflate; client_max_window_bits; server_max_window_bits=10',
      'permessage-deflate; server_max_window_bits=10; client_max_window_bits=12',
    ],
    [
      'permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; client_max_window_bits',
      'permessage-deflate; server_max_window_bits=10; client_max_window_bits=12',
    ],
    ['permessage-deflate; server_no_context_takeover', 'permessage-deflate; server_no_context_takeover'],
    ['permessage-deflate; client_no_context_takeover', 'permessage-deflate; client_no_context_takeover'],
    ['permessage-deflate; client_max_window_bits=10', 'permessage-deflate; client_max_window_bits=10'],
    ['permessage-deflate; client_max_window_bits=13', 'permessage-deflate; client_max_window_bits=12'],
    // Quoted values, and both windows with a number, as the websockets library of Python offers them.
    ['permessage-deflate; client_max_window_bits="12"', 'permessage-deflate; client_max_window_bits=12'],
    [
      'permessage-deflate; server_max_window_bits=12; client_max_window_bits=12',
      'permessage-deflate; server_max_window_bits=12; client_max_window_bits=12',
    ],
    // Names and values with something wrong: the offer is declined.
    ['permessage-deflate; foo', undefined],
    ['permessage-deflate; foo=1', undefined],
    ['permessage-deflate; server_no_context_takeover=1', undefined],
    ['permessage-deflate; client_no_context_takeover=true', undefined],
    ['permessage-deflate; client_no_context_takeover=""', undefined],
    ['permessage-deflate; server_max_window_bits', undefined],
    ['permessage-deflate; server_no_context_takeover; server_no_context_takeover', undefined],
    ['permessage-deflate; client_no_context_takeover; client_no_context_takeover', undefined],
    ['permessage-deflate; server_max_window_bits=10; server_max_window_bits=10', undefined],
    ['permessage-deflate; client_max_window_bits; client_max_window_bits=10', undefined],
    ['permessage-deflate; Server_no_context_takeover', undefined],
    ['permessage-deflate; __proto__', undefined],
    ['permessage-deflate; constructor=15', undefined],
    ['permessage-deflate;', undefined],
    ['permessage-deflate; =10', undefined],
    ['permessage-deflate client_max_window_bits', undefined],
    ['PERMESSAGE-DEFLATE', undefined],
    ['permessage-deflate=1', undefined],
    // The next one is looked at.
    [
      'permessage-deflate; server_max_window_bits=7, permessage-deflate; foo=1, permessage-deflate; server_max_window_bits="10"; client_max_window_bits',
      'permessage-deflate; server_max_window_bits=10; client_max_window_bits=12',
    ],
    ['permessage-deflate; server_max_window_bits=7, permessage-deflate; foo=1', undefined],
    ['permessage-deflate; foo="a,permessage-deflate', undefined],
    ['permessage-deflate; foo="a, b", permessage-deflate', 'permessage-deflate'],
    // The client's order decides.
    [
      'permessage-deflate; server_no_context_takeover, permessage-deflate',
      'permessage-deflate; server_no_context_takeover',
    ],
    ['permessage-deflate, permessage-deflate; server_no_context_takeover', 'permessage-deflate'],
  ]
  for (const [header, expected] of rows) test(JSON.stringify(header), () => assert.equal(answer(header), expected))

  const values: readonly (readonly [value: string, bits: number | undefined])[] = [
    ...Array.from({ length: 32 }, (_, bits): [string, number | undefined] => [
      String(bits),
      bits >= 8 && bits <= 15 ? bits : undefined,
    ]),
    ...['08', '010', '+10', '-10', '10.0', '1e1', '0x0a', '١٠', 'true', '8a', '100', '15.', '9999999999'].map(
      (value): [string, undefined] => [value, undefined],
    ),
  ]
  for (const [value, bits] of values) {
    test(`a window of ${value} bits`, () => {
      for (const written of [value, `"${value}"`]) {
        const server = acceptDeflate(`permessage-deflate; server_max_window_bits=${written}`, ours)
        assert.equal(server?.parameters.serverMaxWindowBits, bits)
        const client = acceptDeflate(`permessage-deflate; client_max_window_bits=${written}`, ours)
        assert.equal(client?.parameters.clientMaxWindowBits, bits === undefined ? undefined : Math.min(bits, 12))
      }
    })
  }
})

describe('the answer to an offer', () => {
  test('says for itself what the server wants for itself, and of the client only what is allowed unasked', () => {
    const small = { serverMaxWindowBits: 9, clientMaxWindowBits: 8 }
    const plain = acceptDeflate('permessage-deflate', { ...ours, ...small })
    assert.equal(plain?.answer, 'permessage-deflate')
    assert.deepEqual(plain?.parameters, { ...ours, serverMaxWindowBits: 9, clientMaxWindowBits: 15 })
    const none = { serverNoContextTakeover: true, clientNoContextTakeover: true }
    // Sections 7.1.1.1 and 7.1.1.2 allow a server to give up either context unasked.
    const both = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
    assert.equal(answer('permessage-deflate', none), both)
  })

  test('is frozen, and so are its parameters', () => {
    const agreement = acceptDeflate('permessage-deflate', ours)
    assert.ok(Object.isFrozen(agreement) && Object.isFrozen(agreement?.parameters))
  })
})

/** All ways to give each parameter in an offer; undefined leaves it out. */
const ways = {
  server_no_context_takeover: [undefined, ''],
  client_no_context_takeover: [undefined, ''],
  server_max_window_bits: [undefined, ...[8, 9, 10, 11, 12, 13, 14, 15].map((bits) => `=${bits}`)],
  client_max_window_bits: [undefined, '', ...[8, 9, 10, 11, 12, 13, 14, 15].map((bits) => `=${bits}`)],
}

/** Every offer that keeps the rules, but for the order of its parameters. */
function* everyOffer(): Generator<string> {
  for (const serverContext of ways.server_no_context_takeover)
    for (const clientContext of ways.client_no_context_takeover)
      for (const serverBits of ways.server_max_window_bits)
        for (const clientBits of ways.client_max_window_bits) {
          const given = Object.entries({
            server_no_context_takeover: serverContext,
            client_no_context_takeover: clientContext,
            server_max_window_bits: serverBits,
            client_max_window_bits: clientBits,
          })
          yield given.reduce(
            (offer, [name, way]) => (way === undefined ? offer : `${offer}; ${name}${way}`),
            'permessage-deflate',
          )
        }
}

/** Every configuration of a server. */
function* everyServer(): Generator<DeflateParameters> {
  for (const serverNoContextTakeover of [false, true])
    for (const clientNoContextTakeover of [false, true])
      for (const serverMaxWindowBits of [8, 9, 12, 15])
        for (const clientMaxWindowBits of [8, 9, 12, 15])
          yield { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits }
}

/** What each side may rely on by an answer alone, as section 7.1 has it. */
function meaningOf(answer: string): DeflateParameters {
  const bits = (name: string): number => Number(new RegExp(`${name}=(\\d+)`).exec(answer)?.[1] ?? 15)
  return {
    serverNoContextTakeover: answer.includes('server_no_context_takeover'),
    clientNoContextTakeover: answer.includes('client_no_context_takeover'),
    serverMaxWindowBits: bits('server_max_window_bits'),
    clientMaxWindowBits: bits('client_max_window_bits'),
  }
}

test('every offer is accepted by every server, and the answer keeps the rules of section 7.1', () => {
  let rounds = 0
  for (const offer of everyOffer()) {
    const offered = meaningOf(offer)
    for (const server of everyServer()) {
      rounds++
      const agreement = acceptDeflate(offer, server)
      assert.ok(agreement !== undefined, offer)
      const { answer, parameters } = agreement
      const said = meaningOf(answer)
      const what = `${offer} -> ${answer}`
      // What was offered is answered, and nothing beyond it.
      if (offered.serverNoContextTakeover) assert.ok(said.serverNoContextTakeover, what)
      assert.equal(answer.includes('server_max_window_bits='), offer.includes('server_max_window_bits'), what)
      if (!offer.includes('client_max_window_bits')) assert.ok(!answer.includes('client_max_window_bits'), what)
      assert.ok(said.serverMaxWindowBits <= offered.serverMaxWindowBits, what)
      assert.ok(said.clientMaxWindowBits <= offered.clientMaxWindowBits, what)
      // The server keeps what it has said; the client does no more than it was told.
      assert.equal(parameters.serverNoContextTakeover, said.serverNoContextTakeover, what)
      assert.ok(parameters.serverMaxWindowBits <= said.serverMaxWindowBits, what)
      assert.equal(parameters.clientNoContextTakeover, said.clientNoContextTakeover, what)
      assert.equal(parameters.clientMaxWindowBits, said.clientMaxWindowBits, what)
      // The server has what it wants.
      assert.ok(parameters.serverMaxWindowBits <= server.serverMaxWindowBits, what)
      assert.ok(parameters.serverNoContextTakeover || !server.serverNoContextTakeover, what)
      assert.ok(parameters.clientNoContextTakeover || !server.clientNoContextTakeover, what)
    }
  }
  assert.equal(rounds, 2 * 2 * 9 * 10 * 64)
})

test('a client of ws takes every answer, and means the same by it', () => {
  for (const offer of everyOffer()) {
    const agreement = acceptDeflate(offer, ours)
    assert.ok(agreement !== undefined)
    const { clientMaxWindowBits: clientBits } = meaningOf(offer)
    const isLimited = offer.includes('client_max_window_bits')
    const accepted = acceptedByWs(agreement.answer, {
      ...meaningOf(offer),
      clientMaxWindowBits: isLimited ? clientBits : false,
    })
    assert.ok(accepted !== undefined, `${offer} -> ${agreement.answer}`)
    const { server_max_window_bits = 15, client_max_window_bits = 15 } = accepted
    assert.equal(accepted['server_no_context_takeover'] ?? false, agreement.parameters.serverNoContextTakeover)
    assert.equal(accepted['client_no_context_takeover'] ?? false, agreement.parameters.clientNoContextTakeover)
    assert.equal(server_max_window_bits, agreement.parameters.serverMaxWindowBits)
    assert.equal(client_max_window_bits, agreement.parameters.clientMaxWindowBits)
  }
})

describe('random parameters', () => {
  const names = [...Object.keys(ways), 'foo', '__proto__', 'server_max_window', '"', '']
  const valuesOf = ['', '=8', '=15', '=7', '=16', '="12"', '="1\\2"', '=', '="', '=1 2', '= 9', '=foo', '=\u00ff']

  function randomOffers(random: Random): string {
    const offers = Array.from({ length: random.between(1, 4) }, () => {
      const parameters = Array.from({ length: random.below(5) }, () => random.pick(names) + random.pick(valuesOf))
      return [random.pick(['permessage-deflate', 'permessage-deflate', 'foo', '']), ...parameters].join(';')
    })
    return offers.join(',')
  }

  test('never throw, and agree with a server of ws where it accepts the first offer', () => {
    const random = new Random(seed)
    let [accepted, agreed] = [0, 0]
    for (let round = 0; round < effort({ quick: 50_000, full: 1_000_000 }); round++) {
      const header = randomOffers(random)
      const agreement = acceptDeflate(header, { ...ours, clientMaxWindowBits: 15 })
      if (agreement !== undefined) accepted++
      // A server of ws reads "1 5", " 9" and "0x9" as numbers, and refuses the header for one wrong parameter in any offer.
      const byWs = acceptedByWs(header, { isServer: true })
      if (byWs === undefined) continue
      agreed++
      assert.deepEqual(
        agreement?.parameters,
        {
          serverNoContextTakeover: byWs['server_no_context_takeover'] ?? false,
          clientNoContextTakeover: byWs['client_no_context_takeover'] ?? false,
          serverMaxWindowBits: byWs['server_max_window_bits'] ?? 15,
          clientMaxWindowBits: byWs['client_max_window_bits'] ?? 15,
        },
        `${header}, SEED=${seed}`,
      )
    }
    assert.ok(accepted > agreed && agreed > 100, `${accepted} accepted, ${agreed} by ws, too`)
  })
})
