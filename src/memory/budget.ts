// The memory that peers may make this server hold, a strict bound, and which connections are ended when it is used up.
//
//   limit = common room + room of the oldest unfinished message
//
// The common room holds everything that is not the oldest message's: regions of messages that are arriving or in use,
// reads that are parked, copies for pending handlers, chunks and messages that nobody has taken, bytes that wait for a
// decision, output that is not read, subscriptions. Regions are asked for, and may have three quarters of it: whoever gets
// none is not read from until there is room. All else has been read already, or must be sent: when the common room is
// nearly full, those who hold the most are ended first, so that the others find room.
import { INBOX_LENGTH, Region } from '../codec/codec.js'
import { runOutside } from '../internals/context.js'
import { Evictions } from './evictions.js'
import type { Holder, UnfinishedPayload } from './holder.js'
import { Remains } from './remains.js'
import { Roster } from './roster.js'
import { Stalls } from './stalls.js'

export type { Claimant, Holder, UnfinishedPayload, WatchedPayload } from './holder.js'

/** The most that one read can leave to be kept. */
const READ = INBOX_LENGTH + 65_536

/**
 * Regions up to this many bytes never wait, and count as what is kept: a message that is shorter than a read must not
 * wait for longer ones.
 */
const SMALL = 65_536

/** How much of the room may be taken before those go who hold the most: what they hold is free a moment later. */
const FULL = 7 / 8

/**
 * How much of it handlers of connections that have ended may hold before newcomers are refused from those addresses that
 * left the most, and before all are.
 */
const CROWDED = 1 / 4
const FULL_OF_REMAINS = 3 / 8

export class Budget {
  /** What handlers of connections that have ended still keep. */
  readonly remains: Remains = new Remains(this)
  /** Bytes that are held because of output which waits to be written. */
  output = 0
  /** Payloads whose senders must not stop. */
  readonly stalls: Stalls
  /** Payloads that are arriving in regions, the oldest first. */
  readonly unfinished = new Roster<UnfinishedPayload>()
  /** Those that wait for memory, and the bytes that they wait for. */
  readonly #waiting = new Map<UnfinishedPayload, number>()
  readonly #forRegions: number
  readonly #forKept: number
  readonly #evictions = new Evictions(this.remains)
  #longest = 0
  /** The common room. */
  #total = 0
  #regions = 0
  #kept = 0
  #wakeUp: NodeJS.Immediate | undefined

  /**
   * For about `bytes` bytes; at least for some reads, and where that leaves too little for others, room for one message of
   * `longest` bytes comes on top. `began` is called when a payload begins to arrive: `stalls.check` must be called from
   * time to time from then on.
   */
  constructor(bytes: number, longest = bytes, began: () => void = () => undefined) {
    this.#forKept = Math.max(Math.floor(bytes / 4), 4 * READ)
    this.#forRegions = Math.max(bytes - this.#forKept, 0)
    this.stalls = new Stalls(this, began)
    this.serve(longest)
  }

  /** Messages of `longest` bytes may come. */
  serve(longest: number): void {
    this.#longest = Math.max(this.#longest, Region.most(longest))
    this.#total = this.#room
  }

  /** Bytes that are never exceeded. */
  get limit(): number {
    return this.#room + this.#longest
  }

  /** Bytes held. */
  get used(): number {
    return this.#regions + this.#kept
  }

  /** Whether more than half is held: what has been read should be taken before more is read. */
  get tight(): boolean {
    return this.#common > this.#room / 2
  }

  /**
   * Whether little should be read at a time, as it may have to be kept: more than a quarter is held, and more is kept than a quarter
   * of what regions leave for it, or long reads of all whose messages are arriving could not be kept at once, were they refused more
   * room. What goes into a region need not be kept: were regions counted, a few long messages would come in short reads.
   */
  get frugal(): boolean {
    // This is asked after each read, so it uses numbers that are there already.
    if (4 * this.used <= this.#total) return false
    if (this.unfinished.size * READ > this.#forKept) return true
    const kept = 4 * this.#kept
    return kept > this.#forKept && kept + this.#regions > this.#total
  }

  /**
   * Whether handlers of connections that have ended hold so much that nobody can get back that a newcomer, whose handlers
   * may do the same, must be refused: first from the addresses that left the most.
   */
  refuses(newcomer: { readonly remoteAddress: string | undefined }): boolean {
    const { remains } = this
    if (remains.objects <= CROWDED * this.#room) return false
    return remains.objects > FULL_OF_REMAINS * this.#room || remains.isLarge(newcomer.remoteAddress)
  }

  /** Bytes that somebody waits for. */
  get wanted(): number {
    let wanted = 0
    for (const bytes of this.#waiting.values()) wanted += bytes
    return wanted
  }

  /** Whether what is kept takes more than its own share, and so room of the regions. */
  get keptIsFull(): boolean {
    return this.#kept > this.#forKept
  }

  /** Whether `payload` waits for memory. */
  waits(payload: UnfinishedPayload): boolean {
    return this.#waiting.has(payload)
  }

  // What is kept.

  /** Notes that `holder` makes the server hold `bytes` more; false if there is no room, and they must not be held. */
  keep(holder: Holder, bytes: number): boolean {
    if (!this.admits(holder, bytes)) return false
    this.charge(bytes)
    this.attribute(holder, bytes)
    return true
  }

  /** Notes that `holder` makes the server hold `bytes` less. */
  release(holder: Holder, bytes: number): void {
    this.attribute(holder, -bytes)
    this.discharge(bytes)
  }

  /** Whether `holder` may make the server hold `bytes` more; those who hold more than it does go first. */
  admits(holder: Holder, bytes: number): boolean {
    if (holder.gone) return false
    this.#makeRoom(bytes, holder.held + bytes)
    return this.hasRoom(bytes)
  }

  /** Whether there is room for `bytes` more as it is. */
  hasRoom(bytes: number): boolean {
    return this.#kept + bytes <= this.#forKept || this.#common + bytes <= this.#room
  }

  /** Notes that memory of `bytes` is held, whoever has asked for it: it may belong to several. */
  charge(bytes: number): void {
    this.#kept += bytes
    if (this.#kept > this.#forKept) this.#makeRoom(0, 0)
  }

  discharge(bytes: number): void {
    this.#kept -= bytes
    this.wake()
  }

  /** Notes that `bytes` of what is held are held because of `holder`. */
  attribute(holder: Holder, bytes: number): void {
    this.#evictions.attribute(holder, bytes)
  }

  /** `holder` has ended. What it still holds is released as it becomes free. */
  leave(holder: Holder): void {
    this.#evictions.leave(holder)
  }

  // Regions.

  /** A payload begins to arrive in a region. */
  begin(payload: UnfinishedPayload): void {
    this.unfinished.add(payload)
    this.stalls.began()
  }

  /** The payload is complete, or given up; what its region holds is given back by `resized`, later. */
  end(payload: UnfinishedPayload): void {
    this.#waiting.delete(payload)
    if (this.unfinished.delete(payload)) this.wake()
  }

  /** Whether `payload` may hold `bytes` more. If not, `budgetFreed` tells its claimant when to ask again. */
  allows(payload: UnfinishedPayload, bytes: number): boolean {
    if (this.#fits(payload, bytes)) return true
    if (payload.size + bytes <= SMALL && this.admits(payload.claimant, bytes)) return true
    this.#waiting.set(payload, bytes)
    return false
  }

  /** Whether a region of `bytes` has room without anybody's turn: for a payload that is complete as soon as it has it. */
  hasRegion(bytes: number): boolean {
    return bytes <= Math.min(this.#forOthers - this.#regions, this.#room - this.used)
  }

  /** Notes that a region of `bytes` is gone. */
  readonly regionFreed = (bytes: number): void => this.resized(bytes, 0)

  /** Notes that a region that held `before` bytes holds `after` now, which was allowed; 0 is none. */
  readonly resized = (before: number, after: number): void => {
    if (before <= SMALL) this.#kept -= before
    else this.#regions -= before
    if (after <= SMALL) this.#kept += after
    else this.#regions += after
    if (after < before) this.wake()
  }

  /** Somebody has waited for `bytes` for long, and nobody is slow: what remains of others goes, or who holds the most. */
  free(bytes: number): void {
    if (bytes > this.#evictions.leaving) this.#evictions.next(0)
  }

  /** Looks in a turn of its own who can have the memory that is free. */
  wake(): void {
    if (this.#waiting.size === 0 || this.#wakeUp !== undefined) return
    this.#wakeUp = setImmediate(() => runOutside(() => this.#tell()))
  }

  get #oldest(): UnfinishedPayload | undefined {
    return this.unfinished.first
  }

  /** What is held outside of the oldest message's own room. */
  get #common(): number {
    const size = this.#oldest?.size ?? 0
    return this.used - (size > SMALL ? Math.min(size, this.#longest) : 0)
  }

  /** What may be held outside of the oldest message's own room. */
  get #room(): number {
    return this.#forKept + this.#forOthers
  }

  /** What regions may hold outside of the oldest message's own room. */
  get #forOthers(): number {
    return Math.max(this.#forRegions - this.#longest, Math.floor(this.#forRegions / 2))
  }

  /**
   * Whether a region may grow: the oldest payload's always may, unless messages that are complete still hold its room;
   * any other's no further than leaves as much room for others as it has itself.
   */
  #fits(payload: UnfinishedPayload, bytes: number): boolean {
    const { size } = payload
    if (payload === this.#oldest) {
      const regions = this.#regions + bytes + (size > SMALL ? 0 : size)
      return regions <= this.#forOthers + this.#longest && this.used + bytes <= this.limit
    }
    const free = Math.min(this.#forOthers - this.#regions, this.#room - this.used)
    return size + bytes <= free
  }

  /**
   * Makes room for `bytes`, until an eighth stays free: what remains of those who have gone is given up first, then those
   * go who hold the most, and more than `held`.
   */
  #makeRoom(bytes: number, held: number): void {
    for (;;) {
      const more = bytes - this.#evictions.leaving
      if (this.#common + more <= FULL * this.#room || this.#kept + more <= FULL * this.#forKept) return
      if (!this.#evictions.next(held)) return
    }
  }

  /** Tells those whose wish can be fulfilled: the oldest first, the others in the order in which they began to wait. */
  #tell(): void {
    this.#wakeUp = undefined
    const oldest = this.#oldest
    const waiting = [...this.#waiting]
    const first = waiting.filter(([payload]) => payload === oldest)
    let promised = 0
    for (const [payload, bytes] of [...first, ...waiting]) {
      if (!this.#waiting.has(payload) || !this.#fits(payload, bytes + promised)) continue
      this.#waiting.delete(payload)
      promised += bytes
      payload.claimant.budgetFreed()
    }
  }
}
