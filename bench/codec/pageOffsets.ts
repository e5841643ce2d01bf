// Where in its page of 4 KiB a long message lies (src/codec/pageOffset.ts): what that costs the codec's copy from the inbox,
// and the kernel's copy of what is written.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HALF_PAGE } from '../../src/codec/pageOffset.js'
import { type TierLength, tiers } from '../support/tiers.js'
import { allocate, atEnd, codec, KEY_WORD, ROOM } from './material.js'
import { byTier, type Measured, type Step, way } from './measure.js'

const OFFSETS = [0, 64, 256, 1024, HALF_PAGE, 4080]
const KIB = 1024
const MIB = 1024 * KIB
/** A header of 64 bits with its masking key: where the payload of a frame begins in the inbox. */
const IN_INBOX = 14

const long: readonly TierLength[] = tiers.filter(({ length }) => length >= 16 * KIB && length <= MIB)

export const unmaskAtStep: Step = byTier(
  {
    name: 'page offset of a region',
    operation: 'one message, unmasked from the inbox into a region',
    note:
      'What is unmasked lies where it would in the inbox. The region begins so many bytes into a page of 4 KiB, and the ' +
      'payload 16 bytes after that. "millrace" is what ' +
      'pageOffset.ts has chosen, the peers are other offsets.',
  },
  (length) => {
    const source = allocate(length + ROOM) + IN_INBOX
    const region = allocate(length + 2 * 4096)
    return sweep((at) => () => void codec.call.mask(region + at + ROOM, source, length, KEY_WORD))
  },
  long,
)

export const writeAtStep: Step = byTier(
  {
    name: 'page offset of a write',
    operation: 'one message, copied by the kernel',
    note:
      'A write to a file that stands in the page cache: the copy of the kernel is that of a write to a socket, its target ' +
      'begins at offset 0 of a page, and nobody has to read.',
  },
  (length) => {
    const frame = allocate(length + 2 * 4096)
    const path = join(tmpdir(), `millrace-page-offset-${process.pid}`)
    const file = openSync(path, 'w')
    atEnd(() => {
      closeSync(file)
      rmSync(path, { force: true })
    })
    return sweep((at) => {
      const view = codec.bytes.subarray(frame + at, frame + at + length)
      return () => void writeSync(file, view, 0, length, 0)
    })
  },
  long,
)

function sweep(run: (at: number) => () => void): Measured {
  return { ways: OFFSETS.map((at) => way(`at ${at}`, run(at), at === HALF_PAGE)) }
}
