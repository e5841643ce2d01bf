// What `sendStream` can send, asked for one chunk after the other. Each kind of source has its own way of being left, also
// while its next chunk is waited for: a stream that nobody needs must not stay open until it happens to say something.
import { types } from 'node:util'
import { callerError } from '../../checks/errors.js'
import { isThenable, promiseOf } from '../../checks/thenable.js'

/** One piece of a message that `sendStream` sends: a string for text, or bytes. */
export type StreamChunk = string | ArrayBufferView | ArrayBuffer

/**
 * What `sendStream` can send: an async iterable, a web ReadableStream, a Readable of Node.js, or any other iterable of
 * strings or bytes.
 */
export type StreamSource = AsyncIterable<StreamChunk> | Iterable<StreamChunk>

/** Options of `sendStream`. */
export interface SendStreamOptions {
  /**
   * Whether the message is binary; otherwise it is text. Default: binary if the first chunk is bytes, and text if it is
   * a string.
   */
  readonly binary?: boolean
}

/** What a source answers, as an iterator does. */
export type Step = IteratorResult<StreamChunk, unknown>

/** A source that is being read. */
export interface OpenSource {
  /** The next chunk, at once where the source does not wait. Throws or rejects with what the source fails with. */
  next(): Step | PromiseLike<Step>
  /** The source is at its end. */
  end(): void
  /** Nobody wants the rest. Never throws: a source that can't be left properly is forgotten. */
  leave(): void
}

/** Begins to read a source. Throws a TypeError for what is none, or is being read by somebody else. */
export function openSource(source: StreamSource): OpenSource {
  if (typeof source === 'string' || ArrayBuffer.isView(source) || types.isAnyArrayBuffer(source)) {
    throw callerError(
      'ERR_ARGUMENT_KIND',
      'sendStream takes something that yields chunks: use send, or sendStream([data])',
    )
  }
  const getReader = method(source, 'getReader')
  if (getReader !== undefined) return new WebSource(getReader() as ReadableStreamDefaultReader<StreamChunk>)
  const asynchronous = method(source, Symbol.asyncIterator)
  const iterate = asynchronous ?? method(source, Symbol.iterator)
  if (iterate === undefined) {
    throw callerError(
      'ERR_ARGUMENT_KIND',
      `sendStream takes an iterable or a stream of strings or bytes, not ${described(source)}`,
    )
  }
  const iterator = iterate() as AsyncIterator<StreamChunk> | Iterator<StreamChunk>
  return new IteratedSource(iterator, asynchronous === undefined ? undefined : source)
}

class WebSource implements OpenSource {
  readonly #reader: ReadableStreamDefaultReader<StreamChunk>

  constructor(reader: ReadableStreamDefaultReader<StreamChunk>) {
    this.#reader = reader
  }

  next(): PromiseLike<Step> {
    return this.#reader.read() as Promise<Step>
  }

  end(): void {
    quietly(() => this.#reader.releaseLock())
  }

  leave(): void {
    quietly(() => this.#reader.cancel())
    this.end() // cancelling has settled what was asked for
  }
}

class IteratedSource implements OpenSource {
  readonly #iterator: AsyncIterator<StreamChunk> | Iterator<StreamChunk>
  /** What an async iterator came from, which may be a Readable. */
  readonly #stream: object | undefined

  constructor(iterator: AsyncIterator<StreamChunk> | Iterator<StreamChunk>, stream: object | undefined) {
    this.#iterator = iterator
    this.#stream = stream
  }

  next(): Step | PromiseLike<Step> {
    const step = this.#iterator.next()
    // A loop over a synchronous iterable awaits promises that it yields, and so does this.
    return this.#stream === undefined && !isThenable(step) && isThenable(step.value) ? settled(step.value) : step
  }

  end(): void {
    // An iterator that has reported its end needs no `return`.
  }

  leave(): void {
    const stream = this.#stream
    const destroy = stream === undefined ? undefined : method(stream, 'destroy')
    if (stream !== undefined && destroy !== undefined) {
      quietly(() => method(stream, 'on')?.('error', () => undefined)) // a destroyed stream may emit an error
      quietly(destroy)
    }
    // An iterator that waits for its own `next` ends only when that has settled. Nobody waits for it here.
    quietly(() => this.#iterator.return?.())
  }
}

async function settled(value: PromiseLike<unknown>): Promise<Step> {
  return { done: false, value: (await value) as StreamChunk } // if it is none, sending it will say so
}

/** Runs what nobody asks the result of. */
function quietly(work: () => unknown): void {
  try {
    const result = work()
    if (isThenable(result)) promiseOf(result).catch(() => undefined)
  } catch {
    // it is left all the same
  }
}

/** A method of an object, bound to it; undefined if it has none. */
function method(object: object, name: PropertyKey): ((...values: unknown[]) => unknown) | undefined {
  const found: unknown = object === null || object === undefined ? undefined : Reflect.get(Object(object), name, object)
  return typeof found === 'function' ? found.bind(object) : undefined
}

function described(source: unknown): string {
  if (source === null) return 'null'
  return typeof source === 'object' ? Object.prototype.toString.call(source) : typeof source
}
