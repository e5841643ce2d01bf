// A transport that spoils what a connection sends: it writes slowly, writes nothing at all, writes bytes that nobody has
// framed, half-closes without a word, or resets. It stands between a connection of the target and its own transport.
import { codecOfThread } from '../codec/codec.js'
import { runOutside } from '../internals/context.js'
import { inboxOfThread } from '../memory/inbox.js'
import { PENDING, type Receiver, type Transport, WRITTEN } from '../transport/transport.js'

/** Something to write, or to do when all before it is written. */
type Job =
  | {
      readonly bytes: Uint8Array
      /** Whether it is a write of the connection's, which must be told of its end. */
      readonly own: boolean
      readonly slowly: boolean
    }
  | (() => void)

/** Slices of a slow write for each second. */
const SLICES = 20

/** Milliseconds after which a slow write does not make up for the time in which nothing was to be written. */
const IDLE = 100

export class Wire implements Transport, Receiver {
  readonly #inner: Transport
  #receiver: Receiver | undefined
  readonly #jobs: Job[] = []
  /** Bytes of the first job that are written already. */
  #done = 0
  #busy = false
  #closed = false
  /** Whether the answer to the opening handshake is on its way: nothing may overtake it, and it is never spoiled. */
  #answered = false
  #rate = 0
  /** When the next slice of a slow write is due. */
  #due = 0
  #mute = false
  #timer: NodeJS.Timeout | undefined

  constructor(inner: Transport) {
    this.#inner = inner
  }

  /** From now on, so many bytes leave per second. */
  writeSlowly(bytesPerSecond: number): void {
    this.#rate = bytesPerSecond
  }

  /** From now on, nothing leaves, and the connection does not notice. */
  fallSilent(): void {
    this.#mute = true
  }

  /** Writes bytes as they are, behind what was written before. */
  raw(bytes: Uint8Array): void {
    this.#add({ bytes, own: false, slowly: false })
  }

  /** Half-closes without a Close frame, behind what was written before. */
  halfClose(): void {
    this.#add(() => this.#inner.end())
  }

  /** Ends the connection with a TCP reset. */
  reset(): void {
    this.#stop()
    this.#inner.reset()
  }

  // What the connection asks for (Transport).
  get remoteAddress(): string | undefined {
    return this.#inner.remoteAddress
  }

  get unsent(): number {
    const own = this.#jobs.find((job) => typeof job !== 'function' && job.own)
    const length = own === undefined || typeof own === 'function' ? 0 : own.bytes.length
    return Math.max(0, length - (own === this.#jobs[0] ? this.#done : 0))
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver
    this.#inner.open(this)
  }

  pause(): void {
    this.#inner.pause()
  }

  resume(): void {
    this.#inner.resume()
  }

  write(pointer: number, length: number): number {
    return this.#write(codecOfThread().view(pointer, length))
  }

  writeViews(views: readonly Uint8Array[]): number {
    return this.#write(Buffer.concat(views))
  }

  end(): void {
    if (!this.#mute) this.#add(() => this.#inner.end())
  }

  endBoth(): void {
    this.#add(() => this.#inner.endBoth())
  }

  close(): void {
    this.#stop()
    this.#inner.close()
  }

  // What the transport tells (Receiver). The inbox knows the connection by another name than this one, so what comes goes
  // through it once more: it comes after what has waited for the connection.
  received(start: number, end: number): void {
    const receiver = this.#receiver
    if (receiver !== undefined) inboxOfThread().deliver(receiver, codecOfThread().view(start, end - start))
  }

  get frugal(): boolean {
    return this.#receiver?.frugal ?? false
  }

  ended(): void {
    this.#tell((receiver) => receiver.ended())
  }

  closed(): void {
    this.#stop()
    this.#tell((receiver) => receiver.closed())
  }

  /** A write of the transport is done (Receiver). */
  written(status: number): void {
    this.#busy = false
    if (this.#closed) return
    const [job] = this.#jobs
    if (job === undefined || typeof job === 'function') return
    if (status >= 0 && this.#done < job.bytes.length) return this.#goOn()
    this.#jobs.shift()
    this.#done = 0
    if (job.own) this.#receiver?.written(Math.min(status, 0))
    this.#goOn()
  }

  #tell(event: (receiver: Receiver) => void): void {
    const receiver = this.#receiver
    if (receiver !== undefined) inboxOfThread().tell(receiver, () => event(receiver))
  }

  /** The memory stays as it is until `written`, as it does for every write that is PENDING. */
  #write(bytes: Uint8Array): number {
    if (this.#closed) return -1
    if (this.#mute && this.#answered) return WRITTEN
    const job = { bytes, own: true, slowly: this.#answered && this.#rate > 0 }
    const first = !this.#answered
    this.#answered = true
    if (first) this.#jobs.unshift(job)
    else this.#jobs.push(job)
    this.#goOn()
    return PENDING
  }

  #add(job: Job): void {
    if (this.#closed) return
    this.#jobs.push(job)
    if (this.#answered) this.#goOn()
  }

  #goOn(): void {
    if (this.#busy || this.#closed) return
    const [job] = this.#jobs
    if (typeof job === 'function') {
      this.#jobs.shift()
      job()
      return this.#goOn()
    }
    if (job === undefined) return
    if (job.slowly) return this.#slowly(job.bytes)
    this.#put(job.bytes)
  }

  /** Each slice has the time at which it is due, so that the rate is exact over time. */
  #slowly(bytes: Uint8Array): void {
    const now = performance.now()
    if (now - this.#due > IDLE) this.#due = now
    this.#busy = true
    this.#timer = setTimeout(
      () => {
        const slice = bytes.subarray(this.#done, this.#done + Math.max(1, Math.round(this.#rate / SLICES)))
        this.#due += (slice.length * 1000) / this.#rate
        runOutside(() => this.#put(slice))
      },
      Math.max(0, this.#due - now),
    )
  }

  #put(slice: Uint8Array): void {
    this.#done += slice.length
    this.#busy = true
    const status = this.#inner.writeViews([slice])
    // `written` must not be told before the write itself has returned.
    if (status !== PENDING) setImmediate(() => runOutside(() => this.written(status)))
  }

  #stop(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#jobs.length = 0
  }
}
