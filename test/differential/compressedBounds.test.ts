// A compressed message may not be longer than maxPayload before it is inflated, either: each frame is judged by its header.
import { Buffer } from 'node:buffer'
import { setTimeout as delay } from 'node:timers/promises'
import { constants, deflateRawSync } from 'node:zlib'
import { buildFrame } from '../support/frames.js'
import { same } from './same.js'

const KEY = Uint8Array.of(1, 2, 3, 4)
const DEFLATE = ['Sec-WebSocket-Extensions: permessage-deflate']
/** Seven bytes, for a message of five. */
const HELLO = deflateRawSync('Hello', { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)

const frame = (payload: Uint8Array, first: boolean, fin: boolean): Buffer =>
  buildFrame({ opcode: first ? 1 : 0, reserved: first ? 4 : 0, fin, payload, key: KEY })

const whole = frame(HELLO, true, true)
const fragments = Buffer.concat([frame(HELLO.subarray(0, 3), true, false), frame(HELLO.subarray(3), false, true)])
const BYTES: Readonly<Record<string, Buffer>> = {
  'a message': whole,
  'a part of a message': whole.subarray(0, 7),
  fragments: fragments,
  'fragments and a part of one': fragments.subarray(0, 13),
  'two messages': Buffer.concat([whole, whole]),
  'a header without its key': Buffer.from([0xc1, 0x80 | 100]),
  'a header of a long message': Buffer.from([0xc2, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]),
  'a message behind fragments': Buffer.concat([fragments, whole]),
}

for (const [what, bytes] of Object.entries(BYTES)) {
  for (const maxPayload of [5, 6, 7, 0]) {
    for (const inPieces of maxPayload === 5 ? [false, true] : [false]) {
      same(`${what} compressed, with maxPayload ${maxPayload}${inPieces ? ', byte by byte' : ''}`, async (stage) => {
        const { ws, peer } = await stage.pair({ maxPayload, perMessageDeflate: true }, DEFLATE)
        if (!inPieces) peer.write(bytes)
        else {
          for (const byte of bytes) {
            if (ws.readyState !== 1) break
            peer.write(Buffer.from([byte]))
            await delay(1)
          }
        }
        // Long enough for a busy machine: what is refused is refused much sooner.
        for (let left = 50; left > 0 && ws.readyState === 1; left--) await delay(5)
        stage.note('is open', ws.readyState === 1)
        if (ws.readyState === 1) return
        await peer.end()
        stage.wire(peer)
      })
    }
  }
}

for (const binaryType of ['', 'x', 'blob', undefined]) {
  same(`a Receiver whose binaryType is ${JSON.stringify(binaryType)}`, async (stage) => {
    const receiver = Reflect.construct(Reflect.get(stage.module, 'Receiver'), [{ binaryType }]) as NodeJS.WritableStream
    receiver.on('message', (data: unknown, isBinary: boolean) => stage.note('message', data, isBinary))
    receiver.write(buildFrame({ opcode: 2, payload: 'bytes' }))
    receiver.write(
      Buffer.concat([buildFrame({ opcode: 2, payload: 'a', fin: false }), buildFrame({ opcode: 0, payload: 'b' })]),
    )
  })
}
