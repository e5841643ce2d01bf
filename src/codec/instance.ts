// The codec's instance: the WebAssembly module, its memory, and its functions with their types.
// There is one instance per thread; the memory is shared so that a region can be handed to another thread as two numbers.
import { Buffer } from 'node:buffer'
import type { OwnBytes } from './ownBytes.js'
import { base64 } from './wasm.generated.js'

/** Everything the module exports as a function. Addresses and lengths are u32, in bytes. */
export interface CodecExports {
  /** Prepares a slot: the mask bit its frames must have, the longest message, and its most frames (0: any number). */
  openSlot(slot: number, masked: number, limit: number, fragments: number): void
  /** Lets messages of a slot be compressed; they are handed out as they are. */
  allowCompressed(slot: number, limited: number): void
  /** Lets a payload length of a slot be longer than it has to be. */
  allowAnyLength(slot: number): void
  /** Marks the ends of frames of a slot. */
  markFrames(slot: number): void
  /** Lets text of a slot be any bytes. */
  allowAnyText(slot: number): void
  /** Gives the message under way a region: its address and the bytes it can take. */
  grant(slot: number, region: number, capacity: number): void
  /** Hands the message under way out in parts, where they lie; what it already held is forgotten. */
  stream(slot: number): void
  /** Parses a span; returns a STATUS or a VIOLATION. What it found is in the frame table and in RESULT. */
  parse(slot: number, start: number, end: number): number
  /** Writes an unmasked frame; returns its bytes. */
  frame(target: number, first: number, source: number, length: number): number
  /** Writes a masked frame; returns its bytes. */
  maskedFrame(target: number, first: number, source: number, length: number, key: number): number
  /** Writes a header alone; returns its bytes. */
  header(target: number, first: number, length: number): number
  /** XORs with a masking key; returns 1 if any byte written is 0x80 or more. */
  mask(target: number, source: number, length: number, key: number): number
  /** Continues the UTF-8 automaton; returns its new state. */
  validate(state: number, pointer: number, length: number): number
  copy(target: number, source: number, length: number): void
  /** Writes the 28 characters that answer the key of an opening handshake, of which the 24 lie at `key`; `target` may be there, too. */
  acceptKey(target: number, key: number): void
  /**
   * Prepares the slot of a client that only loads: the first byte of a whole answer (without an opcode, any will do), the
   * bytes of an answer, where they lie (0: only their number counts), and the most bytes of a compressed one.
   */
  openCounter(slot: number, first: number, length: number, expected: number, compressed: number): void
  /** Messages that begin from now on are answers; those before are greetings. Returns 1 if one is under way. */
  beginAnswers(slot: number): number
  /** Counts the messages that end in a span, and checks them; returns a COUNT status or a VIOLATION. */
  count(slot: number, start: number, end: number): number
}

/** Bytes of a page, in which the memory grows. */
export const PAGE = 65536
const MOST_PAGES = 65536 // 4 GiB, all that 32-bit addresses reach
const FEWEST_PAGES = 1024
/**
 * V8 copies to and from shared memory byte by byte where source and target are not aligned alike: 16 µs for 64 KiB. A
 * fill with as many bytes as there is room is one memcpy, 0.6 µs, once its call is paid for.
 */
const LEAST_FILLED = 256
const REFUSED =
  'the system refuses the address space for shared WebAssembly memory: under `ulimit -v`, Node.js 20 and 22 need the option --disable-wasm-trap-handler'

/** The parts of the WebAssembly namespace that are used; Node's own types leave them to the DOM's. */
export interface SharedWasmMemory {
  readonly buffer: SharedArrayBuffer
}
interface WasmMemory extends SharedWasmMemory {
  grow(pages: number): number
}
interface WasmNamespace {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: { env: { memory: SharedWasmMemory } },
  ) => { readonly exports: unknown }
}
declare const WebAssembly: WasmNamespace

/** The codec of this thread: functions, and memory with views that follow its growth. */
export class Codec {
  readonly call: CodecExports
  /** All of the memory. Replaced when the memory grows, so read it anew for each use. */
  bytes: Buffer
  /** The first pages, with the frame table and the results, as u32 and as f64. They never move. */
  readonly words: Uint32Array
  readonly doubles: Float64Array
  /** Pages the memory may grow to; less than 4 GiB where the system grants less address space. */
  readonly maximumPages: number
  /** The memory itself, for other threads: when one thread grows it, it grows for all. */
  readonly memory: WasmMemory
  /**
   * The view that was made last: making one costs as much as copying a kilobyte. All writes of a publication ask for the
   * same one, and so do echoes of messages that are equally long (99 of 100); where lengths differ, hardly any do.
   */
  #view: Uint8Array
  /** The same of what is copied from here: a message that begins a read lies where the one before did. */
  #source: Uint8Array

  constructor() {
    const [memory, pages] = reserveMemory()
    this.memory = memory
    // An address of 2^32 would be 0: nothing may lie in the last page, so that no block ends there.
    this.maximumPages = Math.min(pages, MOST_PAGES - 1)
    this.call = this.instantiate(Buffer.from(base64, 'base64')) as CodecExports
    this.bytes = Buffer.from(memory.buffer)
    this.words = new Uint32Array(memory.buffer)
    this.doubles = new Float64Array(memory.buffer)
    this.#view = this.#source = new Uint8Array(memory.buffer, 0, 0)
  }

  /** Compiles a module for this memory; returns what it exports. */
  instantiate(module: Uint8Array): unknown {
    return instantiate(module, this.memory)
  }

  get pages(): number {
    return this.bytes.length / PAGE
  }

  /** Makes the memory at least `pages` long; throws a RangeError where the system gives no more. */
  growTo(pages: number): void {
    if (pages <= this.pages) return
    this.memory.grow(pages - this.pages)
    this.bytes = Buffer.from(this.memory.buffer)
  }

  /** Copies bytes into the memory. */
  write(pointer: number, bytes: Uint8Array): void {
    if (bytes.length < LEAST_FILLED) this.bytes.set(bytes, pointer)
    else this.bytes.fill(bytes, pointer, pointer + bytes.length)
  }

  /** Copies bytes from the memory, as many as there is room for. */
  read(pointer: number, target: Buffer): void {
    const source = this.#sourceAt(pointer, target.length)
    if (target.length < LEAST_FILLED) target.set(source)
    else target.fill(source)
  }

  /** Bytes of the memory, in memory of their own. */
  copyOf(pointer: number, length: number): OwnBytes {
    const copy = Buffer.allocUnsafeSlow(length)
    this.read(pointer, copy)
    return copy
  }

  /** A view of the memory for a system call. Views of shared memory stay valid when it grows. */
  view(pointer: number, length: number): Uint8Array {
    if (this.#view.byteOffset === pointer && this.#view.length === length) return this.#view
    this.#view = new Uint8Array(this.bytes.buffer, pointer, length)
    return this.#view
  }

  #sourceAt(pointer: number, length: number): Uint8Array {
    if (this.#source.byteOffset === pointer && this.#source.length === length) return this.#source
    this.#source = new Uint8Array(this.bytes.buffer, pointer, length)
    return this.#source
  }
}

/** Compiles a module for a memory, of this thread or mapped from another; returns what it exports. */
export function instantiate(module: Uint8Array, memory: SharedWasmMemory): unknown {
  return new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory } }).exports
}

/** Asks for 4 GiB of address space, and for half as much each time the system refuses. */
function reserveMemory(): [WasmMemory, number] {
  for (let maximum = MOST_PAGES; ; maximum /= 2) {
    try {
      return [new WebAssembly.Memory({ initial: 16, maximum, shared: true }), maximum]
    } catch (error) {
      if (maximum <= FEWEST_PAGES) throw new RangeError(REFUSED, { cause: error })
    }
  }
}

let shared: Codec | undefined

/** The codec of this thread, made on first use. */
export function codecOfThread(): Codec {
  shared ??= new Codec()
  return shared
}
