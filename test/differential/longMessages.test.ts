// Messages that are longer than a read, in one frame: put together as they come, whatever comes in between.
import { Buffer } from 'node:buffer'
import { setTimeout as delay } from 'node:timers/promises'
import { close, masked } from '../support/frames.js'
import { same } from './same.js'

const LENGTH = 600_000
const FRAMES: readonly (readonly [name: string, opcode: number, payload: Buffer])[] = [
  ['bytes', 2, Buffer.from(Array.from({ length: LENGTH }, (_, at) => (at * 7) & 255))],
  ['text', 1, Buffer.from('grüße '.repeat(LENGTH / 8))],
  ['text that is none at its end', 1, Buffer.concat([Buffer.alloc(LENGTH, 'a'), Buffer.from([0xc3])])],
  [
    'text that is none in its middle',
    1,
    Buffer.concat([Buffer.alloc(LENGTH, 'a'), Buffer.from([0xff]), Buffer.alloc(LENGTH)]),
  ],
]

for (const [name, opcode, payload] of FRAMES) {
  for (const [manner, cuts] of [
    ['at once', []],
    ['after little of it', [20]],
    ['after much of it', [100_000, 100_001, 400_000]],
  ] as const) {
    same(`${name} of 600,000 bytes, ${manner}`, async (stage) => {
      const { ws, peer } = await stage.pair()
      ws.binaryType = 'arraybuffer'
      const frame = masked(opcode, payload)
      for (const [at, cut] of [0, ...cuts].entries()) {
        peer.write(frame.subarray(cut, cuts[at]))
        await delay(10)
      }
      peer.write(Buffer.concat([masked(2, 'short'), close(1000)]))
      await stage.finish(peer)
    })
  }
}

same('a long message, with a pause in it', async (stage) => {
  const { ws, peer } = await stage.pair()
  const frame = masked(2, Buffer.alloc(LENGTH, 5))
  peer.write(frame.subarray(0, 300_000))
  await delay(20)
  ws.pause()
  peer.write(frame.subarray(300_000))
  await delay(20)
  stage.note('resume')
  ws.resume()
  peer.write(close(1000))
  await stage.finish(peer)
})

same('a long message whose connection ends in it', async (stage) => {
  const { peer } = await stage.pair()
  peer.write(masked(2, Buffer.alloc(LENGTH, 5)).subarray(0, 300_000))
  await delay(20)
  await stage.drop(peer)
})

same('a long message that is longer than it may be', async (stage) => {
  const { peer } = await stage.pair({ maxPayload: 500_000 })
  peer.write(masked(2, Buffer.alloc(LENGTH, 5)).subarray(0, 300_000))
  await stage.noted('error')
  await stage.finish(peer)
})

same('long messages among fragments', async (stage) => {
  const { peer } = await stage.pair()
  const long = Buffer.alloc(LENGTH, 'f')
  peer.write(Buffer.concat([masked(1, long, false), masked(9, 'p'), masked(0, long), masked(1, long), close(1000)]))
  await stage.finish(peer)
})
