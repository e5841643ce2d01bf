// What real clients compress and are sent compressed, with every combination of parameters: `ws` with its own options,
// undici and Chromium with what browsers offer, and Python's websockets, which checks the answer to the letter. The full
// suite tries each setting of the server with each choice of the client, the quick one a sample of these pairs.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { WebSocket as Undici } from 'undici'
import type { PerMessageDeflateOptions } from 'ws'
import type { Server } from '../../src/index.js'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { effort } from '../support/effort.js'
import { transports } from '../support/places.js'
import { pythonWebsocketsMissing, runPython } from '../support/python.js'
import {
  beyond,
  compressedPayloads,
  compressingServer,
  payloadsBeyond,
  queryOf,
  type ServerSide,
  serverSides,
} from './compressing.js'
import { Inbox } from './inbox.js'
import { visit } from './inChromium.js'
import { assertSame, type Payload } from './payloads.js'
import { WsClient } from './wsClient.js'

const timeout = 900_000
const sides = serverSides()

/** Each side of the server with each choice of the client's, or one of `each` pairs, which come with all windows. */
function paired<Choice>(choices: readonly Choice[], each: number): readonly (readonly [ServerSide, Choice])[] {
  const all = sides.flatMap((side) => choices.map((choice) => [side, choice] as const))
  return all.filter((_, at) => at % each === 0)
}

/** Of all pairs, one of so many is sent messages of all kinds, and the others those that fill a window. */
const THOROUGH = 13

/** What the client of a pair sends. */
function payloadsOf(at: number, side: ServerSide, all: boolean): readonly Payload[] {
  if (all && at % THOROUGH !== 0) return payloadsBeyond(side)
  return compressedPayloads(at % (THOROUGH * 60) === 0)
}

const booleans = [false, true]
/** Without `true`, it offers nothing of the kind, and takes what it is told; with `false`, it would refuse that. */
const wsTakeovers = [{}, { serverNoContextTakeover: true }, { clientNoContextTakeover: true }]
const wsChoices: readonly PerMessageDeflateOptions[] = wsTakeovers.flatMap((takeovers) =>
  [undefined, 9, 12, 15].flatMap((serverMaxWindowBits) =>
    [undefined, 9, 12, 15].map((clientMaxWindowBits) => ({
      ...takeovers,
      ...(serverMaxWindowBits === undefined ? {} : { serverMaxWindowBits }),
      ...(clientMaxWindowBits === undefined ? {} : { clientMaxWindowBits }),
      threshold: 0,
    })),
  ),
)

/** What Python offers: takeover of either side, and windows; `true` is one without a number. */
const pythonChoices = booleans.flatMap((serverNoTakeover) =>
  booleans.flatMap((clientNoTakeover) =>
    [null, 8, 12, 15].flatMap((serverBits) =>
      [null, true, 9, 12, 15].map(
        (clientBits) => [serverNoTakeover, clientNoTakeover, serverBits, clientBits] as const,
      ),
    ),
  ),
)

const PYTHON = `
import asyncio, json, sys, websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
target = json.load(sys.stdin)
def same(got, sent, what):
    if got != sent or type(got) is not type(sent): raise Exception('not the same: ' + what)
async def cut(payload, count):
    size = max(1, -(-len(payload) // count))
    for at in range(0, len(payload), size): yield payload[at:at + size]
async def visit(path, offer, size):
    factory = ClientPerMessageDeflateFactory(*offer, compress_settings={'memLevel': 5})
    async with websockets.connect('ws://127.0.0.1:%d%s' % (target['port'], path), compression=None, extensions=[factory], max_size=None) as socket:
        if len(socket.extensions) != 1: raise Exception('nothing agreed on')
        rows = ''.join('{"id":%d,"name":"wheel %d"},' % (at, at % 17) for at in range(4000))
        texts = [rows[:1024], rows[:size]] if size > 0 else ['', 'x', rows[:1024], rows[:1024], rows[:70000]] + ([rows * 12] if size < 0 else [])
        for text in texts:
            for payload in (text, text.encode()):
                await socket.send(payload)
                same(await socket.recv(), payload, '%d bytes, %s %s' % (len(text), path, offer))
                if len(text) > 1:
                    await socket.send(cut(payload, 5))
                    same(await socket.recv(), payload, '%d bytes in fragments, %s %s' % (len(text), path, offer))
async def work(visits, done):
    for path, offer, size in visits:
        try: await visit(path, offer, size)
        except Exception as error: raise Exception('%s %s: %r' % (path, offer, error))
        done.append(path)
async def main():
    visits, done = iter(target['visits']), []
    await asyncio.gather(*(work(visits, done) for _ in range(4)))
    print(len(done))
asyncio.run(main())
`

for (const { transport, publicApi } of transports) {
  /** Each run of Python and of Chromium takes long. */
  const most = publicApi
    ? effort<string | false>({ quick: 'in the full suite, over this transport', full: false })
    : false

  /** Every pair goes over one of the transports: what is agreed on and compressed lies above them. */
  const each = effort({ quick: 29, full: publicApi ? THOROUGH : 1 })

  describe(`compression with real clients over ${transport}`, { timeout }, () => {
    let server: Server
    let paths = 0

    before(async () => {
      server = compressingServer(publicApi)
      await server.listen({ host: '127.0.0.1' })
    })
    after(() => server.close())

    /** The path of a server set like this; every other one reads streams. */
    function pathOf(side: ServerSide): string {
      return `${paths++ % 2 === 0 ? '/whole' : '/streamed'}?${queryOf(side)}`
    }

    test('ws, with all of its options', { timeout }, async () => {
      for (const [at, [side, perMessageDeflate]] of paired(wsChoices, each).entries()) {
        const path = pathOf(side)
        const client = await WsClient.open(`ws://127.0.0.1:${server.port}${path}`, { perMessageDeflate })
        assert.equal(client.socket.extensions, 'permessage-deflate')
        for (const payload of payloadsOf(at, side, each === 1)) {
          const where = `${path} ${JSON.stringify(perMessageDeflate)}`
          client.socket.send(payload)
          assertSame(await client.messages.next(), payload, where)
          if (payload.length < 1000) continue
          client.sendFragments(cut(Buffer.from(payload)), typeof payload === 'string')
          assertSame(await client.messages.next(), payload, `${where}, in fragments`)
        }
        client.socket.terminate()
        await client.ended
      }
    })

    test('undici', { timeout }, async () => {
      for (const side of sides) {
        const path = pathOf(side)
        const socket = new Undici(`ws://127.0.0.1:${server.port}${path}`)
        socket.binaryType = 'arraybuffer'
        const messages = new Inbox<Payload>()
        socket.addEventListener('message', ({ data }: { data: string | ArrayBuffer }) =>
          messages.push(typeof data === 'string' ? data : Buffer.from(data)),
        )
        const closed = new Promise<void>((resolve) =>
          socket.addEventListener('close', ({ code }) => {
            messages.end(`closed with ${code}`)
            resolve()
          }),
        )
        await new Promise((resolve) => socket.addEventListener('open', resolve))
        assert.match(socket.extensions, /^permessage-deflate/)
        for (const payload of compressedPayloads(side === sides[0])) {
          socket.send(payload)
          assertSame(await messages.next(), payload, path)
        }
        socket.close()
        await closed
      }
    })

    test("Python's websockets, with all that it offers", {
      timeout,
      skip: pythonWebsocketsMissing() || most,
    }, async () => {
      // zlib has no window of 8 bits for raw DEFLATE, so this client can't keep to one.
      const possible = paired(pythonChoices, each).filter(
        ([{ clientBits }, [, , , offered]]) => clientBits > 8 || offered === null,
      )
      const visits = possible.map(([side, offer], at) => [pathOf(side), offer, sizeOf(at, side, each === 1)])
      const printed = await runPython(PYTHON, [], { timeout, input: JSON.stringify({ port: server.port, visits }) })
      assert.equal(Number(printed), visits.length)
      assert.ok(visits.length > 10)
    })

    describe('Chromium', { skip: chromiumMissing() || most }, () => {
      let browser: Browser
      let page: Page

      before(async () => {
        browser = await launchChromium()
        page = await browser.newPage()
      })
      after(() => browser.close())

      test('with what browsers offer', { timeout }, async () => {
        for (const side of sides) {
          const path = pathOf(side)
          const send = compressedPayloads(side === sides[0])
          const url = `ws://127.0.0.1:${server.port}${path}`
          const { received, code, extensions } = await visit(page, { url, send, close: { code: 1000 } })
          assert.match(extensions, /^permessage-deflate/)
          assert.equal(received.length, send.length, path)
          for (const [at, payload] of send.entries()) assertSame(received[at] ?? 'nothing', payload, `${path}, ${at},`)
          assert.equal(code, 1000)
        }
      })
    })
  })
}

/** Characters of what Python sends beside 1 KiB; 0 for messages of all kinds, -1 for a long one with them. */
function sizeOf(at: number, side: ServerSide, all: boolean): number {
  if (all && at % THOROUGH !== 0) return beyond(side)
  return at % (THOROUGH * 40) === 0 ? -1 : 0
}

function cut(bytes: Buffer): Buffer[] {
  const [a, b] = [Math.floor(bytes.length / 7), bytes.length - 1]
  return [bytes.subarray(0, a), bytes.subarray(a, a), bytes.subarray(a, b), bytes.subarray(b)]
}
