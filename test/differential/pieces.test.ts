// Frames that come in pieces, where few pieces may be kept: ws keeps those of a header that is not whole, and those of a control frame.
import { Buffer } from 'node:buffer'
import { setImmediate as turn } from 'node:timers/promises'
import { BINARY, masked, PING } from '../support/frames.js'
import { same } from './same.js'

const short = masked(BINARY, 'abc')
const long = masked(BINARY, Buffer.alloc(300, 1))
const ping = masked(PING, 'p'.repeat(20))

/** Where frames are cut. */
const CUTS: readonly (readonly [name: string, frame: Buffer, at: readonly number[]])[] = [
  ['a frame behind its first byte', short, [1]],
  ['a frame behind its length', short, [2]],
  ['a frame within its mask', short, [4]],
  ['a frame byte by byte', short, [1, 2, 3, 4, 5, 6, 7, 8]],
  ['a long frame within its length', long, [3]],
  ['a long frame within its length, and its mask', long, [3, 5]],
  ['a long frame within its header, and its payload', long, [1, 6, 20, 40]],
  ['a ping within its mask', ping, [3]],
  ['a ping within its payload', ping, [7]],
  ['a ping within its mask and its payload', ping, [4, 12, 14]],
  ['a ping byte by byte', ping, [...ping.keys()].slice(1)],
]

function pieces(frame: Buffer, at: readonly number[]): Buffer[] {
  return [0, ...at].map((start, index) => frame.subarray(start, at[index]))
}

for (const [name, frame, at] of CUTS) {
  for (const most of [1, 2, 3]) {
    same(`${name}, where ${most} may be kept`, async (stage) => {
      const { peer } = await stage.pair({ maxBufferedChunks: most })
      for (const piece of [...pieces(frame, at), frame]) {
        peer.write(piece)
        for (let turns = 0; turns < 4; turns++) await turn() // a timer may be late, and two pieces come together
        await stage.quiet(5)
      }
      await stage.quiet(20)
      await stage.drop(peer)
      stage.wire(peer)
    })
  }
}
