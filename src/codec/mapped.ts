// The codec in a thread that works in the memory of another: it has the same modules and allocates nothing.
import { Buffer } from 'node:buffer'
import type { TaskCodec } from './codecTask.js'
import type { CompressionExports } from './compression.js'
import { base64 as compression } from './deflate.generated.js'
import { type CodecExports, instantiate, type SharedWasmMemory } from './instance.js'
import { base64 as codec } from './wasm.generated.js'

export class MappedCodec implements TaskCodec {
  readonly call: CodecExports
  readonly compression: CompressionExports
  readonly #memory: SharedWasmMemory

  constructor(memory: SharedWasmMemory) {
    this.#memory = memory
    this.call = instantiate(Buffer.from(codec, 'base64'), memory) as CodecExports
    this.compression = instantiate(Buffer.from(compression, 'base64'), memory) as CompressionExports
  }

  /** Looked up anew for each use: the other thread may have made the memory longer. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#memory.buffer)
  }
}
