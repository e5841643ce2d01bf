// The memory that payloads may hold, and who may have it next: a promise that no peer can break. See the constructor.
import { Region } from '../codec/codec.js'
import { INBOX_LENGTH } from '../codec/wasm.generated.js'
import { runOutside } from '../internals/context.js'

/** Someone with an unfinished payload. */
export interface Claimant {
  /** Memory may have become free: ask again. */
  budgetFreed(): void
  /** The payload's sender has sent nothing for the whole payload timeout. */
  payloadStalled(): void
  /** There is hardly room for what would have to be kept: read nothing, until `memoryPlenty`. */
  memoryScarce(): void
  memoryPlenty(): void
}

/** A payload whose sender must not stop. */
export interface Watched {
  readonly claimant: Claimant
  /** When its last byte came, in milliseconds of `performance.now()`; Infinity while we are not reading. */
  readonly lastArrival: number
  /** How long it may stop arriving, in milliseconds; 0 is for ever. */
  readonly timeout: number
}

/** A payload that is arriving in a region. */
export interface Unfinished extends Watched {
  /** When its region last grew. */
  readonly lastGrowth: number
}

/** Whom the budget tells. */
export interface BudgetOwner {
  /** A payload begins to arrive: `checkStalls` must be called from time to time. */
  began?(): void
  /** Nobody but `spared` may be read from, until `plenty`. */
  scarce?(spared: Claimant | undefined): void
  plenty?(): void
}

/** The most that one read can leave to be kept. */
const READ = INBOX_LENGTH + 65_536

export class Budget {
  /** Payloads that are watched for stalls; those in regions are in both sets. */
  readonly #watched = new Set<Watched>()
  /** In order of age: a Set keeps the order in which its members came. */
  readonly #unfinished = new Set<Unfinished>()
  readonly #waiting = new Set<Unfinished>()
  readonly #owner: BudgetOwner
  readonly #forRegions: number
  readonly #forKept: number
  #longest = 0
  #regions = 0
  #kept = 0
  #scarce = false
  #wakeUp: NodeJS.Immediate | undefined
  /** The oldest, and since when others wait for what it holds. */
  #pressed: { readonly payload: Unfinished | undefined; readonly since: number } = { payload: undefined, since: 0 }

  /**
   * A quarter of `bytes`, or four reads if that is more, is for what has been read and must be kept: parked reads,
   * copies for pending handlers, chunks that nobody has read yet. Nobody can be asked before these come, so all reading
   * but the oldest payload's stops while there is still room for two reads; what does not fit even then fails its
   * connection. The rest is for regions, which are asked for. Room for one message of `longest` bytes is the
   * oldest payload's alone, so that it can always finish, whatever the others hold. If that left them less than half of
   * the rest, it comes on top.
   */
  constructor(bytes: number, longest = bytes, owner: BudgetOwner = {}) {
    this.#forKept = Math.max(Math.floor(bytes / 4), 4 * READ)
    this.#forRegions = Math.max(bytes - this.#forKept, 0)
    this.#owner = owner
    this.serve(longest)
  }

  /** Messages of `longest` bytes may come. */
  serve(longest: number): void {
    this.#longest = Math.max(this.#longest, Region.size(longest, longest))
  }

  /** Bytes that are never exceeded. */
  get limit(): number {
    return this.#forKept + this.#forOthers + this.#longest
  }

  /** Bytes held. */
  get used(): number {
    return this.#regions + this.#kept
  }

  /** Whether nobody but the oldest payload's connection may be read from. */
  get scarce(): boolean {
    return this.#scarce
  }

  /** How many payloads are arriving. */
  get unfinished(): number {
    return this.#watched.size
  }

  /** A payload begins to arrive in a region. */
  begin(payload: Unfinished): void {
    this.#unfinished.add(payload)
    this.watch(payload)
  }

  /** It is complete, or given up; what it holds is given back by `give`, later. */
  end(payload: Unfinished): void {
    const spared = this.#scarce && this.#oldest === payload
    this.unwatch(payload)
    this.#waiting.delete(payload)
    if (!this.#unfinished.delete(payload)) return
    this.#wake()
    if (spared) payload.claimant.memoryScarce()
  }

  /** A payload begins to arrive that holds no region. */
  watch(payload: Watched): void {
    this.#watched.add(payload)
    this.#owner.began?.()
  }

  unwatch(payload: Watched): void {
    this.#watched.delete(payload)
  }

  /** Whether `payload` may hold `bytes` more. If not, `budgetFreed` tells its claimant when to ask again. */
  allows(payload: Unfinished, bytes: number): boolean {
    const most = this.#forOthers + (this.#oldest === payload ? this.#longest : 0)
    if (this.#regions + bytes <= most) return true
    this.#waiting.add(payload)
    return false
  }

  /** Notes that a region holds `bytes` more, which were allowed. */
  charge(bytes: number): void {
    this.#regions += bytes
  }

  /** Notes that `bytes` of a region are free again. */
  readonly give = (bytes: number): void => {
    this.#regions -= bytes
    this.#wake()
  }

  /** Notes that `bytes` are kept of what was read; false if there is no room, and they must not be. */
  keep(bytes: number): boolean {
    if (this.#kept + bytes > this.#forKept) return false
    this.#kept += bytes
    if (!this.#scarce && this.#kept + 2 * READ > this.#forKept) {
      this.#scarce = true
      this.#owner.scarce?.(this.#oldest?.claimant)
    }
    return true
  }

  /** Notes that `bytes` are kept no longer. */
  forget(bytes: number): void {
    this.#kept -= bytes
    this.#wake()
  }

  /** Tells those whose payload has not moved for too long; the oldest must also make way while others wait for it. */
  checkStalls(now: number): void {
    const oldest = this.#waiting.size > 0 || this.#scarce ? this.#oldest : undefined
    if (oldest !== this.#pressed.payload) this.#pressed = { payload: oldest, since: now }
    for (const payload of this.#watched) {
      const { lastArrival, timeout, claimant } = payload
      if (timeout === 0 || lastArrival === Infinity) continue
      const moved = payload === oldest ? Math.max(this.#pressed.since, oldest.lastGrowth) : lastArrival
      if (now - Math.min(moved, lastArrival) > timeout) runOutside(() => claimant.payloadStalled())
    }
  }

  get #oldest(): Unfinished | undefined {
    return this.#unfinished.values().next().value
  }

  /** What regions may hold besides the oldest payload's own room. */
  get #forOthers(): number {
    return Math.max(this.#forRegions - this.#longest, Math.floor(this.#forRegions / 2))
  }

  #wake(): void {
    if ((this.#waiting.size === 0 && !this.#scarce) || this.#wakeUp !== undefined) return
    this.#wakeUp = setImmediate(() => runOutside(() => this.#tell()))
  }

  #tell(): void {
    this.#wakeUp = undefined
    if (this.#scarce && this.#kept <= this.#forKept / 2) {
      this.#scarce = false
      this.#owner.plenty?.()
    }
    const oldest = this.#oldest
    if (this.#scarce) oldest?.claimant.memoryPlenty()
    // The oldest first, even with nothing free; the others in the order in which they began to wait.
    if (oldest !== undefined && this.#waiting.delete(oldest)) oldest.claimant.budgetFreed()
    for (const payload of [...this.#waiting]) {
      if (this.#regions >= this.#forOthers) return
      if (this.#waiting.delete(payload)) payload.claimant.budgetFreed()
    }
  }
}
