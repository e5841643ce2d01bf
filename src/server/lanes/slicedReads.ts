// A read of 64 KiB can hold two thousand pipelined requests, or ten thousand chunks of a body, and node:http's parser takes
// all of them in one go, however long that holds the thread. So it is given what was read in steps of some lines, in the
// slices of the thread. The rest waits in the socket, which is paused meanwhile, until the reads of others are done.
import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Slices } from '../../connection/slices.js'
import { waitsForAnswers } from '../../internals/http.js'
import type { Budget, Holder } from '../../memory/budget.js'

/** Lines of a step. Whatever makes the parser work ends with a line: a request line, a header, a head, a chunk. */
const LINES = 32

/** Bytes that are taken out of the socket at a time: it reads more as soon as it holds little. */
const PIECE = 4096

/** A step may take as long as so many small messages: the clock is asked before each. */
const WORTH = 128

/** Few requests fit into so many bytes. */
const SHORT = 512

/** A single request may take as long as so many small messages. */
const SHORT_WORTH = 32

const LINE_FEED = 10
const END_OF_HEAD = Buffer.from('\r\n\r\n')

export class SlicedReads implements Holder {
  held = 0
  standing: number | undefined
  readonly #socket: Socket
  readonly #slices: Slices
  /** Counts what is left in the socket. */
  readonly #budget: Budget
  /** Whether too many answers are missing for further requests to be read. */
  readonly #answers: { readonly crowded: boolean }
  /** What node:http does with bytes. */
  #parse: ((bytes: Buffer) => void) | undefined
  /** The rest of the piece, after the step that is being parsed. */
  #rest: Buffer | undefined
  /** At least so many bytes of a request's body are to come, which need no steps. */
  #body = 0
  /** The step that is being parsed has had a request, whose answer may not be written before the step is over. */
  #answering = false
  /** Whether the rest waits in line for a slice. */
  #waiting = false
  /** Whether the rest waits until fewer answers are missing. */
  #crowded = false
  /** The peer has half-closed, after the bytes that wait. */
  #ended = false

  /** Comes between a socket and the node:http server that has just been given it. */
  constructor(socket: Socket, slices: Slices, budget: Budget, answers: { readonly crowded: boolean }) {
    this.#socket = socket
    this.#slices = slices
    this.#budget = budget
    this.#answers = answers
    const parse = socket.listeners('data')[0]
    if (parse === undefined) return // this runtime is not built like Node.js, so the reads are not sliced
    this.#parse = (bytes) => void parse.call(socket, bytes)
    // node:http reads by itself, past the socket, until somebody else listens.
    socket.on('data', this.#take).off('data', parse as (bytes: Buffer) => void)
    socket.push = this.#push
  }

  /** A request has been read up to its body. */
  requested({ headers }: IncomingMessage): void {
    this.#answering = true
    const length = headers['transfer-encoding'] === undefined ? Number(headers['content-length']) : 0
    this.#body = length > 0 ? length : 0
  }

  /** An answer is done. */
  answered(): void {
    if (!this.#crowded || this.#answers.crowded) return
    this.#crowded = false
    this.#wait()
  }

  /** node:http gets nothing any more. Returns what it should have got next, as far as the socket does not hold it. */
  stop(): Buffer | undefined {
    if (this.#parse !== undefined) this.#leave()
    const rest = this.#rest
    this.#rest = undefined
    return rest
  }

  #leave(): void {
    const socket = this.#socket
    this.#parse = undefined
    socket.off('data', this.#take)
    Reflect.deleteProperty(socket, 'push') // from now on, the method of its class is called again
    if (this.#ended && !socket.destroyed) socket.push(null)
    this.#budget.release(this, this.held)
    this.#budget.leave(this)
  }

  get gone(): boolean {
    return this.#parse === undefined || this.#socket.destroyed
  }

  /** Others need the memory. */
  evicted(): void {
    this.#socket.destroy()
  }

  readonly #take = (bytes: Buffer): void => {
    this.#slices.begin(this)
    this.#rest = bytes
    // The application may have resumed the socket, which node:http does not expect.
    if (waitsForAnswers(this.#socket)) this.#socket.pause()
    // A reader of a body resumes the socket, whether or not it is this socket's turn.
    let over = this.#waiting
    while (!over && this.#rest !== undefined && !this.#socket.isPaused()) {
      this.#crowded = this.#answers.crowded
      over = this.#crowded || this.#slices.spend(WORTH) || this.#step(this.#rest)
    }
    if (this.#rest !== undefined) this.#putBack(this.#rest)
    this.#count()
    if (this.#ended && this.#socket.readableLength === 0) setImmediate(this.#end)
  }

  /**
   * What the socket reads. At the end, node:http ends the connection. With answers to what came right before, it can't
   * know that they are missing: the end comes a turn later than the last bytes, as it would without us.
   */
  readonly #push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk instanceof Uint8Array && this.#isRequest(chunk)) return this.#pass(chunk)
    if (chunk === null && this.#socket.readableLength > 0) {
      this.#ended = true
      return false
    }
    const more = Socket.prototype.push.call(this.#socket, chunk, encoding)
    if (this.#socket.isPaused()) this.#count()
    return more
  }

  /** Whether `chunk` is one request, or a few short ones, and nothing is in its way: it needs no steps, and no room in the socket. */
  #isRequest(chunk: Uint8Array): chunk is Buffer {
    const socket = this.#socket
    const free = socket.readableFlowing && socket.readableLength === 0 && socket.listenerCount('data') === 1
    if (free !== true || this.#rest !== undefined || this.#answers.crowded || chunk.length > PIECE) return false
    if (chunk.at(-1) !== LINE_FEED) return false
    return (
      chunk.length <= SHORT || Buffer.prototype.indexOf.call(chunk, END_OF_HEAD) + END_OF_HEAD.length === chunk.length
    )
  }

  /** Parses it at once, unless its connection or others have used up the turn. */
  #pass(chunk: Buffer): boolean {
    this.#slices.begin(this)
    if (this.#slices.spend(SHORT_WORTH)) return Socket.prototype.push.call(this.#socket, chunk)
    this.#parse?.(chunk)
    return true
  }

  readonly #end = (): void => {
    if (this.gone) return
    this.#ended = false
    this.#socket.push(null)
    this.#socket.read(0)
  }

  /** Counts what the socket holds while nothing is taken out of it. */
  #count(): void {
    if (this.gone) return
    const held = this.#socket.isPaused() ? this.#socket.readableLength : 0
    if (held < this.held) this.#budget.release(this, this.held - held)
    else if (held > this.held && !this.#budget.keep(this, held - this.held)) this.evicted()
  }

  /** Parses a step. Returns whether what follows must wait, because the step has caused more than it shows. */
  #step(bytes: Buffer): boolean {
    const end = Math.min(Math.max(this.#body, endOfLines(bytes)), bytes.length)
    this.#rest = end < bytes.length ? bytes.subarray(end) : undefined
    this.#answering = false
    this.#parse?.(end < bytes.length ? bytes.subarray(0, end) : bytes)
    this.#body = Math.max(this.#body - end, 0)
    return this.#answering
  }

  /** Where node:http has paused the socket, it goes on when node:http resumes it; or else when it is its turn. */
  #putBack(rest: Buffer): void {
    const socket = this.#socket
    this.#rest = undefined
    if (socket.destroyed) return
    const wanted = !socket.isPaused()
    socket.pause()
    socket.unshift(rest)
    if (wanted && !this.#crowded) this.#wait()
  }

  /** Waits in line for a slice. */
  #wait(): void {
    if (this.#waiting) return
    this.#waiting = true
    // Answers are written when this turn's callbacks are done: the next step comes in another one.
    setImmediate(() => this.#slices.later(this.#goOn))
  }

  readonly #goOn = (): void => {
    const socket = this.#socket
    this.#waiting = false
    if (this.gone) return
    socket.resume()
    while (this.#parse !== undefined && socket.readableLength > 0 && !socket.isPaused()) {
      socket.read(Math.min(PIECE, socket.readableLength))
    }
  }
}

/** Where a step ends. */
function endOfLines(bytes: Buffer): number {
  let end = 0
  for (let lines = 0; lines < LINES; lines++) {
    const at = bytes.indexOf(LINE_FEED, end)
    if (at < 0) return bytes.length
    end = at + 1
  }
  return end
}
