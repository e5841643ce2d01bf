// The memory that peers may make this server hold, and who must go when it is spent: a bound that no peer can pass.
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
import { AwakeClock } from '../memory/awakeClock.js'
import { inTurns } from '../memory/inTurns.js'
import { Ranks } from './ranks.js'
import { Remains } from './remains.js'

/** Whoever makes the server hold something. */
export interface Holder {
  /** Bytes that it makes the server hold, regions of messages that are arriving left out: the budget's own. */
  held: number
  /** It has ended: nothing can be got back by ending it. */
  readonly gone: boolean
  /** It holds the most, and room is needed: it must end, and give back what it holds. */
  evicted(): void
}

/** Someone with an unfinished payload. */
export interface Claimant extends Holder {
  /** Memory may have become free: ask again. */
  budgetFreed(): void
  /** The payload's sender has sent nothing for the whole payload timeout, or too little while others wait for memory. */
  payloadStalled(): void
}

/** A payload whose sender must not stop. */
export interface Watched {
  readonly claimant: Claimant
  /** When its last byte came, by the budget's clock; Infinity while we are not reading. */
  readonly lastArrival: number
  /** How long it may stop arriving, in milliseconds; 0 is for ever. */
  readonly timeout: number
}

/** A payload that is arriving in a region. */
export interface Unfinished extends Watched {
  /** When its region last grew. */
  readonly lastGrowth: number
  /** Bytes of its region. */
  readonly size: number
}

/** The most that one read can leave to be kept. */
const READ = INBOX_LENGTH + 65_536

/**
 * Regions up to this many bytes never wait, and count as what is kept: a message that is shorter than a read must not stand
 * behind longer ones.
 */
const SMALL = 65_536

/** While somebody waits for memory, a region must grow this often, in milliseconds: by a page each time, so by 64 KiB/s. */
const PATIENCE = 1000

/** The same where it is not read from: something else may hold it up, but not for long. */
const PAUSED_PATIENCE = 5000

/** How much of the room may be taken before those go who hold the most: what they hold is free a moment later. */
const FULL = 7 / 8

/** How much of it handlers of connections that have ended may hold before newcomers are refused. */
const CROWDED = 1 / 4

export class Budget {
  /** Time in which payloads can have arrived: while this process stands still, none can. */
  readonly clock = new AwakeClock()
  /** What handlers of connections that have ended still keep. */
  readonly remains: Remains = new Remains(this)
  /** Payloads that are watched for stalls; those in regions are in both sets. */
  readonly #watched = new Set<Watched>()
  /** In order of age: a Set keeps the order in which its members came. */
  readonly #unfinished = new Set<Unfinished>()
  /** Those that wait for memory, and the bytes that they wait for. */
  readonly #waiting = new Map<Unfinished, number>()
  readonly #began: () => void
  readonly #forRegions: number
  readonly #forKept: number
  readonly #ranks = new Ranks()
  /** Those who were told to go, and what they still hold. */
  readonly #leaving = new Set<Holder>()
  #leavingBytes = 0
  #longest = 0
  /** A quarter of the common room. */
  #quarter = 0
  #regions = 0
  #kept = 0
  #wakeUp: NodeJS.Immediate | undefined
  /** The time of the last look at stalls, by the clock. */
  #now = 0
  /** Whether those that are watched are being looked at, in turns. */
  #looking = false
  /** Since when somebody waits for memory; Infinity while nobody does. */
  #pressedSince = Infinity

  /**
   * For about `bytes` bytes; at least for some reads, and where that leaves too little for others, room for one message of
   * `longest` bytes comes on top. `began` is called when a payload begins to arrive: `checkStalls` must be called from
   * time to time from then on.
   */
  constructor(bytes: number, longest = bytes, began: () => void = () => undefined) {
    this.#forKept = Math.max(Math.floor(bytes / 4), 4 * READ)
    this.#forRegions = Math.max(bytes - this.#forKept, 0)
    this.#began = began
    this.serve(longest)
  }

  /** Messages of `longest` bytes may come. */
  serve(longest: number): void {
    this.#longest = Math.max(this.#longest, Region.size(longest, longest))
    this.#quarter = this.#room / 4
  }

  /** Bytes that are never exceeded. */
  get limit(): number {
    return this.#room + this.#longest
  }

  /** Bytes held. */
  get used(): number {
    return this.#regions + this.#kept
  }

  /** Whether more than half is held: who has something to take should take it before more is read. */
  get tight(): boolean {
    return this.#common > this.#room / 2
  }

  /** Whether more than a quarter is held: little should be read at a time, as it may have to be kept. */
  get frugal(): boolean {
    // Asked after each read, so it is said with what is at hand.
    return this.#kept + this.#regions > this.#quarter
  }

  /**
   * Whether handlers of connections that have ended hold so much that nobody can get back that newcomers, whose handlers
   * may do the same, must be refused.
   */
  get crowded(): boolean {
    return this.remains.objects > CROWDED * this.#room
  }

  /** How many payloads are arriving. */
  get unfinished(): number {
    return this.#watched.size
  }

  // What is kept.

  /** Notes that `holder` makes the server hold `bytes` more; false if there is no room, and they must not be held. */
  keep(holder: Holder, bytes: number): boolean {
    if (!this.admits(holder, bytes)) return false
    this.charge(bytes)
    this.attribute(holder, bytes)
    return true
  }

  /** Notes that they are held no longer. */
  forget(holder: Holder, bytes: number): void {
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
    this.#wake()
  }

  /** Notes that `bytes` of what is held are held because of `holder`. */
  attribute(holder: Holder, bytes: number): void {
    const before = holder.held
    holder.held = before + bytes
    if (this.#leaving.size > 0 && this.#leaving.has(holder)) this.#leavingBytes += bytes
    else this.#ranks.move(holder, before)
  }

  /** It has ended. What it still holds is given back as it becomes free. */
  leave(holder: Holder): void {
    this.#ranks.remove(holder)
    if (this.#leaving.delete(holder)) this.#leavingBytes -= holder.held
  }

  // Regions.

  /** A payload begins to arrive in a region. */
  begin(payload: Unfinished): void {
    this.#unfinished.add(payload)
    this.watch(payload)
  }

  /** It is complete, or given up; what it holds is given back by `give`, later. */
  end(payload: Unfinished): void {
    this.unwatch(payload)
    this.#waiting.delete(payload)
    if (this.#unfinished.delete(payload)) this.#wake()
  }

  /** A payload begins to arrive that holds no region. */
  watch(payload: Watched): void {
    this.#watched.add(payload)
    this.#began()
  }

  unwatch(payload: Watched): void {
    this.#watched.delete(payload)
  }

  /** Whether `payload` may hold `bytes` more. If not, `budgetFreed` tells its claimant when to ask again. */
  allows(payload: Unfinished, bytes: number): boolean {
    if (this.#fits(payload, bytes)) return true
    if (payload.size + bytes <= SMALL && this.admits(payload.claimant, bytes)) return true
    this.#waiting.set(payload, bytes)
    return false
  }

  /** Notes that a region that held `before` bytes holds `after` now, which was allowed; 0 is none. */
  readonly resized = (before: number, after: number): void => {
    if (before <= SMALL) this.#kept -= before
    else this.#regions -= before
    if (after <= SMALL) this.#kept += after
    else this.#regions += after
    if (after < before) this.#wake()
  }

  /**
   * Tells those whose payload has not moved for too long; it is `time`, in milliseconds of `performance.now()`. While
   * somebody waits for memory, that is soon: all who hold regions must fill them, and of those who don't, the largest go
   * first.
   */
  checkStalls(time: number): void {
    this.#now = this.clock.advance(time)
    if (this.#waiting.size === 0) this.#pressedSince = Infinity
    else this.#pressedSince = Math.min(this.#pressedSince, this.#now)
    if (this.#looking) return
    this.#looking = true
    inTurns(
      this.#watched,
      (payload) => this.#look(payload),
      () => this.#press(),
    )
  }

  #look({ lastArrival, timeout, claimant }: Watched): void {
    if (timeout === 0 || lastArrival === Infinity) return
    if (this.#now - lastArrival > timeout) runOutside(() => claimant.payloadStalled())
  }

  #press(): void {
    this.#looking = this.#waiting.size > 0
    if (!this.#looking) return
    this.#wake() // who was promised room may not have taken it: then it is the next one's
    let wanted = 0
    for (const bytes of this.#waiting.values()) wanted += bytes
    const idle = [...this.#unfinished].filter((payload) => this.#isSlow(payload))
    inTurns(
      idle.sort((one, other) => other.size - one.size),
      (payload) => {
        // It may have moved on in the turns since.
        if (wanted <= 0 || !this.#unfinished.has(payload) || !this.#isSlow(payload)) return
        wanted -= payload.size
        runOutside(() => payload.claimant.payloadStalled())
      },
      () => this.#evictFor(wanted),
    )
  }

  /** Where nobody was slow, what remains of others goes, and then those who hold the most. */
  #evictFor(wanted: number): void {
    this.#looking = false
    const patience = this.#kept > this.#forKept ? PATIENCE : PAUSED_PATIENCE
    if (wanted <= this.#leavingBytes || this.#now - this.#pressedSince <= patience) return
    if (this.remains.lose()) return
    const largest = this.#ranks.largest
    if (largest !== undefined) this.#evict(largest)
  }

  #isSlow(payload: Unfinished): boolean {
    if (payload.timeout === 0 || this.#waiting.has(payload)) return false
    const patience = payload.lastArrival === Infinity ? PAUSED_PATIENCE : PATIENCE
    return this.#now - Math.max(payload.lastGrowth, this.#pressedSince) > Math.min(payload.timeout, patience)
  }

  get #oldest(): Unfinished | undefined {
    return this.#unfinished.values().next().value
  }

  /** What is held outside of the oldest message's own room. */
  get #common(): number {
    const size = this.#oldest?.size ?? 0
    return this.used - (size > SMALL ? Math.min(size, this.#longest) : 0)
  }

  /** What may be held outside of it. */
  get #room(): number {
    return this.#forKept + this.#forOthers
  }

  /** What regions may hold outside of it. */
  get #forOthers(): number {
    return Math.max(this.#forRegions - this.#longest, Math.floor(this.#forRegions / 2))
  }

  /**
   * Whether a region may grow: the oldest payload's always may, unless messages that are complete still hold its room;
   * any other's no further than leaves as much room for others as it has itself.
   */
  #fits(payload: Unfinished, bytes: number): boolean {
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
      const more = bytes - this.#leavingBytes
      if (this.#common + more <= FULL * this.#room || this.#kept + more <= FULL * this.#forKept) return
      if (this.remains.lose()) continue
      const largest = this.#ranks.largest
      if (largest === undefined || largest.held <= held) return
      this.#evict(largest)
    }
  }

  /** Not at once: whoever needs the room may be in the middle of something. */
  #evict(holder: Holder): void {
    this.#ranks.remove(holder)
    this.#leaving.add(holder)
    this.#leavingBytes += holder.held
    queueMicrotask(() => runOutside(() => holder.evicted()))
  }

  #wake(): void {
    if (this.#waiting.size === 0 || this.#wakeUp !== undefined) return
    this.#wakeUp = setImmediate(() => runOutside(() => this.#tell()))
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
