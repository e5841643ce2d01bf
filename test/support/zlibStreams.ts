// zlib as a peer uses it: one stream for all messages of a connection, and each message in one call, so that what comes of
// it is there at once.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib'

/** What RFC 7692, section 7.2.1 has the sender leave out. */
export const TAIL: Buffer = Buffer.from([0, 0, 0xff, 0xff])

/** zlib's handle, used as `zlib.deflateRawSync` uses it, but for all messages of a connection. */
interface Handle {
  readonly _handle: {
    writeSync(
      flush: number,
      from: Uint8Array,
      at: number,
      length: number,
      to: Uint8Array,
      toAt: number,
      room: number,
    ): void
  }
  readonly _writeState: Uint32Array
}

/** Room for what one message becomes, and for all that one flush may write. */
const output = Buffer.alloc(2 * 1024 * 1024)

function writeSync(stream: DeflateRaw | InflateRaw, bytes: Uint8Array): { written: Buffer; left: number } {
  const { _handle, _writeState } = stream as unknown as Handle
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    _handle.writeSync(constants.Z_SYNC_FLUSH, bytes, at, bytes.length - at, output, 0, output.length)
    const [room = 0, left = 0] = _writeState
    parts.push(Buffer.from(output.subarray(0, output.length - room)))
    if (room > 0) return { written: parts.length === 1 ? (parts[0] ?? output) : Buffer.concat(parts), left }
    at = bytes.length - left
  }
}

/** A message after another as zlib deflates them: what a peer sends. */
export class ZlibDeflating {
  readonly #stream: DeflateRaw
  readonly #takeover: boolean

  /** `memory` is zlib's memLevel, 1 to 9: the lower it is, the shorter the blocks are. */
  constructor(
    level: number,
    windowBits: number,
    takeover: boolean,
    strategy: number = constants.Z_DEFAULT_STRATEGY,
    memory = 8,
  ) {
    this.#stream = createDeflateRaw({ level, windowBits, strategy, memLevel: memory })
    this.#stream.on('error', () => undefined)
    this.#takeover = takeover
  }

  message(payload: Uint8Array): Buffer {
    return this.flushed([payload])
  }

  /** A message whose sender has flushed after each of its pieces. */
  flushed(pieces: readonly Uint8Array[]): Buffer {
    const parts: Buffer[] = []
    for (const piece of pieces) {
      if (piece.length === 0) continue // zlib writes no second flush
      const { written } = writeSync(this.#stream, piece)
      assert.ok(TAIL.equals(written.subarray(-4)))
      parts.push(written)
    }
    if (parts.length === 0) return Buffer.of(0)
    if (!this.#takeover) this.#stream.reset()
    return Buffer.concat(parts).subarray(0, -4)
  }

  free(): void {
    this.#stream.close()
  }
}

/** A message after another as zlib inflates them: what a peer understands. */
export class ZlibInflating {
  readonly #stream: InflateRaw
  readonly #takeover: boolean

  constructor(windowBits: number, takeover: boolean) {
    this.#stream = createInflateRaw({ windowBits })
    this.#stream.on('error', () => undefined) // what is wrong with a message is told where it is inflated
    this.#takeover = takeover
  }

  message(payload: Uint8Array): Buffer {
    const { written, left } = writeSync(this.#stream, Buffer.concat([payload, TAIL]))
    assert.equal(left, 0, 'zlib has understood only a part')
    if (!this.#takeover) this.#stream.reset()
    return written
  }

  free(): void {
    this.#stream.close()
  }
}
