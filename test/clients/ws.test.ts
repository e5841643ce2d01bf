// The `ws` client is what most Node.js programs connect with: what it sends must come back the same, over every
// transport. It also fragments and pings on demand, which browsers don't.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { effort } from '../support/effort.js'
import { assertSame, binary, lengths, multiByte, type Payload, payloads } from './payloads.js'
import { type Target, targetKinds } from './targets.js'
import { WsClient } from './wsClient.js'

const options = { timeout: 60_000 }

for (const kind of targetKinds) {
  describe(`ws, ${kind.name}`, options, () => {
    let target: Target
    let client: WsClient

    before(async () => {
      target = await kind.open()
      client = await WsClient.open(`${target.url}/echo`, kind.options)
    })
    after(async () => {
      await client.close(1000)
      await target.close()
    })

    test('the handshake takes nothing that was only offered', () => {
      assert.equal(client.socket.extensions, '')
      assert.equal(client.socket.protocol, '')
    })

    for (const length of lengths) {
      test(`${length} bytes`, options, async () => {
        for (const payload of payloads(length)) {
          client.socket.send(payload)
          assertSame(await client.messages.next(), payload)
        }
      })

      test(`${length} bytes in fragments, with pings between them`, options, async () => {
        for (const payload of payloads(length)) {
          client.sendFragments(cut(Buffer.from(payload)), typeof payload === 'string')
          assertSame(await client.messages.next(), payload)
          await sendWithPings(client, payload)
          assertSame(await client.messages.next(), payload)
        }
      })
    }

    test('a text cut inside every character', options, async () => {
      const text = multiByte(200)
      client.sendFragments(cutEach(Buffer.from(text), 1), true)
      assertSame(await client.messages.next(), text)
    })

    test('pings are answered with what they carried', options, async () => {
      for (const length of [0, 1, 124, 125]) {
        client.socket.ping(binary(length))
        assert.deepEqual(await client.pongs.next(), binary(length))
      }
    })

    test('many messages in a row come back in order', options, async () => {
      const sent = Array.from({ length: effort({ quick: 300, full: 5000 }) }, (_, at): Payload => mixed(at))
      for (const payload of sent) client.socket.send(payload)
      for (const [at, payload] of sent.entries()) assertSame(await client.messages.next(), payload, `message ${at},`)
      assert.equal(client.messages.left, 0)
    })

    test('large messages in a row come back in order', options, async () => {
      const sent = Array.from({ length: effort({ quick: 3, full: 24 }) }, (_, at) => binary(1_000_000 + at, at))
      for (const payload of sent) client.socket.send(payload)
      for (const [at, payload] of sent.entries()) assertSame(await client.messages.next(), payload, `message ${at},`)
    })

    test('a client that reads late gets everything', options, async () => {
      const sent = Array.from({ length: effort({ quick: 12, full: 60 }) }, (_, at) =>
        binary(at % 2 === 0 ? 600_000 : 3000, at),
      )
      client.socket.pause()
      for (const payload of sent) client.socket.send(payload)
      await sleep(300)
      client.socket.resume()
      for (const [at, payload] of sent.entries()) assertSame(await client.messages.next(), payload, `message ${at},`)
    })

    test('many clients at once get back what is theirs', options, async () => {
      const clients = await Promise.all(
        Array.from({ length: effort({ quick: 8, full: 24 }) }, () => WsClient.open(target.url, kind.options)),
      )
      await Promise.all(
        clients.map(async (own, seed) => {
          for (const length of [20, 126, 4096, 65_536, 300_000, 7]) {
            const sent = [binary(length, seed), `${seed}:${multiByte(length)}`]
            for (const payload of sent) own.socket.send(payload)
            for (const payload of sent) assertSame(await own.messages.next(), payload, `client ${seed},`)
          }
          assert.deepEqual(await own.close(4000 + seed), { code: 4000 + seed, reason: '' })
        }),
      )
    })
  })
}

/** A message of every tier but mostly short ones, text and binary in turn, each unlike its neighbours. */
function mixed(at: number): Payload {
  const length = at % 250 === 249 ? 70_000 + at : at % 25 === 24 ? 200 + at : at % 126
  return at % 2 === 0 ? binary(length, at) : `${at} ${multiByte(length)}`
}

/** Five pieces, one of them empty, cut where characters may be. */
function cut(bytes: Buffer): Buffer[] {
  const [a, b, c] = [Math.floor(bytes.length / 7), Math.floor(bytes.length / 3), bytes.length - 1]
  return [bytes.subarray(0, a), bytes.subarray(a, a), bytes.subarray(a, b), bytes.subarray(b, c), bytes.subarray(c)]
}

function cutEach(bytes: Buffer, length: number): Buffer[] {
  const count = Math.ceil(bytes.length / length)
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * length, (at + 1) * length))
}

/** Fragments with a ping after each: control frames may come between them (RFC 6455, section 5.4). */
async function sendWithPings(client: WsClient, payload: Payload): Promise<void> {
  const pieces = cut(Buffer.from(payload))
  for (const [at, piece] of pieces.entries()) {
    client.socket.send(piece, { binary: typeof payload !== 'string', fin: at === pieces.length - 1 })
    client.socket.ping(`ping ${at}`)
  }
  for (const at of pieces.keys()) assert.equal((await client.pongs.next()).toString(), `ping ${at}`)
}
