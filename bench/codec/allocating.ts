// What it costs to find and to free room in the heap while others hold theirs: it must not depend on how many these are.
import { Codec, Heap } from '../../src/codec/codec.js'
import type { Block } from '../../src/codec/heap.js'
import { type Case, type Step, timeOf, type Way, way } from './measure.js'

const HELD = [10, 1000, 100_000]
/** Operations in each timed call: one takes less time than the clock. */
const REPEATS = 256
const KIB = 1024
/** What is held, in turn: connections' slots, parked reads and tail blocks, and regions of pages, which all fit in 4 GiB. */
const SIZES = [192, 64 * KIB, 1 * KIB, 192, 64 * KIB, 4 * KIB, 192, 64 * KIB, 16 * KIB, 192]

export const allocateStep: Step = {
  name: 'heap: allocate and free',
  operation: 'one block, allocated and freed',
  note:
    'Each case is a heap in which so many blocks of mixed sizes are held, without a gap, so that one that walked past ' +
    'them would walk past all. "of 64" allocates 64 blocks and then frees them, so that pages of small blocks are opened and ' +
    'given back; the others free each block at once. No payload is touched.',
  *cases() {
    for (const held of HELD) yield allocateCase(held)
  },
  conclude([few, ...more]) {
    const times = (more.at(-1)?.rows ?? []).map(({ name, nanoseconds }) => nanoseconds / timeOf(few, name))
    const worst = Math.max(...times).toFixed(1)
    return `with ${HELD.at(-1)?.toLocaleString('en')} blocks held it takes at most ${worst} times as long as with ${HELD[0]}`
  },
}

function allocateCase(held: number): Case {
  const heap = new Heap(new Codec())
  for (let block = 0; block < held; block++) heap.allocate(SIZES[block % SIZES.length] ?? 0)
  return {
    label: `${held.toLocaleString('en')} held`,
    length: 0,
    ways: [
      way('slot', () => heap.freeSlot(heap.allocateSlot()), true),
      ...[1, 4, 16, 64, 1024].map((kib) => way(`${kib} KiB`, () => heap.free(heap.allocate(kib * KIB)), true)),
      ...[1, 4, 16, 64].map((kib) => burst(`${kib} KiB, of 64`, heap, kib * KIB)),
    ],
    repeats: REPEATS,
  }
}

/** As many operations, 64 blocks at a time. */
function burst(name: string, heap: Heap, bytes: number): Way {
  const blocks: Block[] = []
  return {
    name,
    ours: true,
    run(repeats) {
      for (let done = 0; done < repeats; done += 64) {
        for (let block = 0; block < 64; block++) blocks.push(heap.allocate(bytes))
        for (const block of blocks) heap.free(block)
        blocks.length = 0
      }
      return undefined
    },
  }
}
