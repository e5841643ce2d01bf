// python3-websockets is a client that shares no code with anything in Node.js, checks the protocol strictly, and speaks
// TLS by another library: what only works between relatives is found here.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CloseCode, type Connection } from '../../src/index.js'
import { effort } from '../support/effort.js'
import { Listening, places, transports } from '../support/places.js'
import { pythonWebsocketsMissing, runPython } from '../support/python.js'
import { Inbox } from './inbox.js'
import { lengths } from './payloads.js'
import { type Ending, longestReason } from './recorder.js'

const options = { timeout: 120_000 }

/** What every program begins with: `dial()` connects to where the first two parameters say. */
const PRELUDE = `
import asyncio, json, ssl, sys, websockets
where, target = sys.argv[1], json.loads(sys.argv[2])
context = None
if target['secure']:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
def dial(**more):
    scheme = 'wss' if target['secure'] else 'ws'
    more = dict(max_size=None, ssl=context, compression=None, **more)
    if target['unix']:
        if target['secure']: more['server_hostname'] = 'localhost'
        return websockets.unix_connect(where, scheme + '://localhost/chat', **more)
    return websockets.connect(scheme + '://' + where + '/chat', **more)
def text(length):
    phrase = 'wheel, río, 水車 🌊 '
    size = len(phrase.encode())
    return '.' * (length % size) + phrase * (length // size)
def binary(length, seed=0):
    return bytes((at * 167 + (at >> 8) * 59 + seed * 101) & 255 for at in range(length))
def same(got, sent, what):
    if got != sent or type(got) is not type(sent): raise Exception('not the same: ' + what)
async def cut(payload, count):
    size = max(1, -(-len(payload) // count))
    for at in range(0, len(payload), size): yield payload[at:at + size]
`

const ECHO = `${PRELUDE}
async def main():
    async with dial() as socket:
        for length in target['lengths']:
            for payload in (text(length), binary(length, 3)):
                await socket.send(payload)
                same(await socket.recv(), payload, str(length))
                if length > 1:
                    await socket.send(cut(payload, 7))
                    same(await socket.recv(), payload, str(length) + ' in fragments')
        sent = [binary(at * 7, at) if at % 2 else 'text %d' % at for at in range(600)]
        async def read():
            for at, payload in enumerate(sent): same(await socket.recv(), payload, 'message %d' % at)
        reader = asyncio.ensure_future(read())
        for payload in sent: await socket.send(payload)
        await reader
        for payload in (b'', b'x', binary(125)):
            await asyncio.wait_for(await socket.ping(payload), 20)
        print(socket.extensions, socket.subprotocol)
asyncio.run(asyncio.wait_for(main(), 90))
`

const CLOSING = `${PRELUDE}
async def main():
    for code, reason in target['closes']:
        socket = await dial()
        await socket.send('close me')
        await socket.close(code, reason)
        print(socket.close_code, socket.close_reason)
asyncio.run(asyncio.wait_for(main(), 60))
`

const CLOSED = `${PRELUDE}
async def main():
    for _ in range(target['times']):
        socket = await dial()
        try:
            while True: await socket.recv()
        except websockets.ConnectionClosed: pass
        print(socket.close_code, socket.close_reason)
asyncio.run(asyncio.wait_for(main(), 60))
`

const missing = pythonWebsocketsMissing()

// Each run is a process of Python.
for (const place of effort({ quick: places.slice(0, 1), full: places })) {
  for (const { transport, publicApi } of transports) {
    describe(`python3-websockets, ${place.name}, over ${transport}`, { ...options, skip: missing }, () => {
      let listening: Listening
      let opened: (connection: Connection) => void = () => undefined
      const ended = new Inbox<Ending>()

      before(async () => {
        listening = await Listening.start(place, {
          publicApi,
          open: (connection) => opened(connection),
          message: (connection, message) => connection.send(message),
          close: (_, code, reason) => ended.push({ code, reason }),
        })
      })
      after(() => listening.server.close())

      async function run(program: string, more: object): Promise<string[]> {
        const [address] = listening.server.addresses
        const where = typeof address === 'string' ? address : `127.0.0.1:${address?.port}`
        const target = JSON.stringify({ secure: place.secure, unix: place.unix, ...more })
        return (await runPython(program, [where, target])).trimEnd().split('\n')
      }

      test('text, bytes, fragments and pings of every length', options, async () => {
        assert.deepEqual(await run(ECHO, { lengths }), ['[] None'])
        assert.deepEqual(await ended.next(), { code: 1000, reason: '' })
      })

      test("the client's code and reason reach the server, and the code comes back", options, async () => {
        const closes: [number, string][] = [
          [1000, ''],
          [1001, 'auf Wiedersehen'],
          [3000, longestReason],
          [4999, '水'],
        ]
        const printed = await run(CLOSING, { closes })
        assert.deepEqual(
          printed.map((line) => Number(line.split(' ', 1)[0])),
          closes.map(([code]) => code),
        )
        for (const [code, reason] of closes) assert.deepEqual(await ended.next(), { code, reason })
      })

      test("the server's code and reason reach the client, after a ping that it answers", options, async () => {
        const codes = [CloseCode.normal, 1001, 1011, 3999, 4000]
        const left = [...codes]
        const failures: unknown[] = []
        opened = (connection) => {
          connection
            .ping('are you there?')
            .then(() => connection.close(left.shift(), longestReason))
            .catch((error: unknown) => failures.push(error))
        }
        const printed = await run(CLOSED, { times: codes.length })
        opened = () => undefined
        assert.deepEqual(failures, [])
        assert.deepEqual(
          printed,
          codes.map((code) => `${code} ${longestReason}`),
        )
        for (const code of codes) assert.equal((await ended.next()).code, code)
      })
    })
  }
}
