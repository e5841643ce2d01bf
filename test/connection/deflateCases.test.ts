// Cases of the kind of sections 12 and 13 of the Autobahn test suite: one message after the other through an echo server,
// each from another place of a document, of every length from 16 bytes to 128 KiB, whole and in fragments; and with the
// offers of section 13, against the strictest client that there is.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { after, before, describe, test } from 'node:test'
import { createServer, type Server } from '../../src/index.js'
import { jsonDocument, words } from '../codec/documents.js'
import { effort } from '../support/effort.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { StrictDeflateClient } from '../support/strictDeflateClient.js'

/** Bytes of a message, and of each of its fragments; 0 is a message in one frame. */
const SIZES: readonly (readonly [bytes: number, fragment: number])[] = [
  ...[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].map((bytes) => [bytes, 0] as const),
  ...[8192, 16_384, 32_768, 65_536, 131_072].map((bytes) => [bytes, 256] as const),
  ...[1024, 4096, 32_768].map((fragment) => [131_072, fragment] as const),
]

/** How often each is sent: 1,000 times, but for the long ones no more than this makes of them. */
const MOST = effort({ quick: 3, full: 1000 })
const MOST_BYTES = effort({ quick: 150_000, full: 4 * 1024 * 1024 })
/** Those with which the offers are tried. */
const TRIED = effort({ quick: SIZES.filter(([bytes], at) => at % 4 === 3 && bytes < 100_000), full: SIZES })

const DOCUMENT = 400_000

/** A document that repeats itself as little as those of the suite do. */
const documents = ((): readonly (readonly [kind: string, bytes: Buffer, isText: boolean])[] => {
  const random = new Random(seed)
  const html = jsonDocument(random, DOCUMENT)
    .toString()
    .replaceAll('{', '<div class="item">')
    .replaceAll('}', '</div>\n')
  const picture = Buffer.from(
    Array.from({ length: DOCUMENT }, (_, at) => 128 + 90 * Math.sin(at / 700) + random.below(12)),
  )
  return [
    ['JSON', jsonDocument(random, DOCUMENT), true],
    ['a picture', picture, false],
    ['text', words(random, DOCUMENT), true],
    ['HTML', Buffer.from(html), true],
    ['noise', random.bytes(DOCUMENT), false],
  ]
})()

/** What is offered in section 12, and in 13.1 to 13.7; then every window, and parameters without values. */
const ACCEPTS = 'permessage-deflate; client_no_context_takeover; client_max_window_bits'
const OFFERS: readonly (readonly string[])[] = [
  [ACCEPTS],
  [`${ACCEPTS}; server_no_context_takeover`],
  [`${ACCEPTS}; server_max_window_bits=9`],
  [`${ACCEPTS}; server_max_window_bits=15`],
  [`${ACCEPTS}; server_no_context_takeover; server_max_window_bits=9`],
  [`${ACCEPTS}; server_no_context_takeover; server_max_window_bits=15`],
  [
    `${ACCEPTS}; server_no_context_takeover; server_max_window_bits=9`,
    `${ACCEPTS}; server_no_context_takeover`,
    ACCEPTS,
  ],
  ['permessage-deflate'],
  ['permessage-deflate; client_max_window_bits'],
  ...[8, 9, 10, 11, 12, 13, 14, 15].map((bits) => [
    `permessage-deflate; server_max_window_bits=${bits}; client_max_window_bits=${bits}`,
  ]),
]

for (const { transport, publicApi } of transports) {
  describe(`an echo server that compresses, over ${transport}`, () => {
    let server: Server
    const clients: StrictDeflateClient[] = []

    before(async () => {
      server = createServer({
        publicApi,
        deflate: true,
        maxMessage: 1_048_576,
        message: (connection, message) => void connection.send(message, { compress: true }),
      })
      await server.listen({ host: '127.0.0.1' })
    })
    after(async () => {
      for (const client of clients) client.destroy()
      await server.close()
    })

    async function connected(offers: readonly string[]): Promise<StrictDeflateClient> {
      const client = await StrictDeflateClient.open(server.port ?? 0, offers)
      clients.push(client)
      return client
    }

    /** Messages from one place of the document after another, each once the one before has come back. */
    async function echoes(
      client: StrictDeflateClient,
      document: Buffer,
      isText: boolean,
      sizes = SIZES,
    ): Promise<void> {
      for (const [bytes, fragment] of sizes) {
        const times = Math.max(1, Math.min(MOST, MOST_BYTES / bytes))
        for (let time = 0, at = 0; time < times; time++) {
          if (at + bytes > document.length) at = time % 100
          const payload = document.subarray(at, at + bytes)
          await client.echo(isText ? asText(payload) : payload, isText, fragment)
          at += bytes
        }
      }
    }

    for (const [at, [kind, document, isText]] of documents.entries()) {
      test(`12.${at + 1}: ${kind}, of every length, whole and in fragments`, async () => {
        const client = await connected([ACCEPTS])
        assert.notEqual(client.agreement, undefined)
        await echoes(client, document, isText)
      })
    }

    for (const offers of OFFERS) {
      test(`13: ${offers.join(', ')}`, async () => {
        const [[, document] = ['', Buffer.alloc(0)]] = documents
        const client = await connected(offers)
        assert.notEqual(client.agreement, undefined)
        await echoes(client, document, true, TRIED)
      })
    }
  })
}

/** Characters that were cut become ASCII: it is about what is compressed, not about UTF-8. */
function asText(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/[^ -~\n]/g, '~'), 'latin1')
}
