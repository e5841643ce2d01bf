// Two choices of the connection that have defaults: how much one read may bring (the inbox), and whether what is sent on
// is copied into the outbox or sent from a region.
import { INBOX_LENGTH, Region } from '../../src/codec/codec.js'
import { FIN, OPCODE_BINARY } from '../../src/codec/frames.js'
import { tiers } from '../support/tiers.js'
import { Drive } from './drive.js'
import { allocate, atEnd, codec, heap, maskedFrame, payload, ROOM, repeat, stored } from './material.js'
import { byTier, type Measured, type Step, timeOf, way } from './measure.js'

const KIB = 1024
const READS = [64, 128, 256, 512].map((kib) => kib * KIB)
/** Bytes of a stream that a figure is about: several times the largest inbox, and more than the second cache. */
const STREAM = 4 * 1024 * KIB
const FIRST = FIN | OPCODE_BINARY

const ignore = (): void => undefined

export const inboxStep: Step = byTier(
  {
    name: 'inbox size',
    operation: 'one message, read, parsed and framed',
    note:
      'A stream is copied into the inbox read by read (memory.copy stands in for the kernel), parsed there, and each ' +
      'message framed into the outbox, or from its region. The system call of each read is not in it: it favours large ' +
      `inboxes further. "millrace" is the present size, ${INBOX_LENGTH / KIB} KiB, the peers are the other sizes.`,
  },
  inboxCase,
  tiers.filter(({ length }) => length >= KIB && length <= STREAM),
)

function inboxCase(length: number): Measured {
  const frame = maskedFrame('binary', length)
  const frames = Math.max(1, Math.floor(STREAM / frame.length))
  const stream = stored(repeat(frame, frames))
  const bytes = frames * frame.length
  const inbox = allocate(Math.max(...READS))
  const outbox = allocate(Math.max(...READS) + ROOM)
  const { call } = codec
  const drive = new Drive((_, pointer, size, region) => {
    if (region === undefined) call.frame(outbox, FIRST, pointer, size)
    else call.header(pointer - ROOM, FIRST, size)
  })
  atEnd(() => drive.free())
  const readAll = (read: number): void => {
    for (let at = 0; at < bytes; at += read) {
      const part = Math.min(read, bytes - at)
      call.copy(inbox, stream + at, part)
      drive.receive(inbox, inbox + part)
    }
  }
  const ways = READS.map((read) => way(`${read / KIB} KiB reads`, () => readAll(read), read === INBOX_LENGTH))
  return { ways, repeats: 1, perRun: frames }
}

export const copyStep: Step = byTier(
  {
    name: 'copy or region',
    operation: 'one message, sent on',
    note:
      '"copy" writes header and payload into the outbox. "region" writes the header in front of a payload that is in a ' +
      'region already, keeps it for the write and lets go of it. "region of its own" also makes the region and moves the ' +
      'payload there in the pass that unmasks it: what a message costs that did not lie whole in the inbox.',
    conclude(results) {
      const dearer = results.find((result) => timeOf(result, 'copy') > 10 * timeOf(result, 'region'))
      return `the copy costs ten times what sending from a region costs from ${dearer?.label ?? 'more than 16 MiB'} on`
    },
  },
  copyCase,
)

function copyCase(length: number): Measured {
  const outbox = allocate(length + ROOM)
  const source = stored(payload('binary', length))
  const region = new Region(heap, Math.max(1, length), length, ignore)
  atEnd(() => region.release())
  const { call } = codec
  const send = (from: Region): void => {
    call.header(from.pointer - 10, FIRST, length)
    from.retain()
    from.release()
  }
  const own = (): void => {
    const made = new Region(heap, Math.max(1, length), length, ignore)
    call.mask(made.pointer, source, length, 1)
    send(made)
    made.release()
  }
  return {
    ways: [
      way('copy', () => call.frame(outbox, FIRST, source, length), true),
      way('region', () => send(region)),
      way('region of its own', own),
    ],
  }
}
