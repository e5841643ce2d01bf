// The model: one process, servers over all transports, their clients, and what all of them do at random, often inside of
// what another one does. It knows what was sent and by whom, so it knows what everybody must be given.
import { heapOfThread } from '../../src/codec/codec.js'
import type { DeflateOptions, Message } from '../../src/index.js'
import { type PreparedMessage, prepare, type Sendable } from '../../src/index.js'
import type { ServerLimits } from '../../src/server/options.js'
import { Random } from '../support/random.js'
import { delay } from '../support/socketClient.js'
import { warmCompression } from '../support/warmCompression.js'
import { ACTIONS, type Action, continueFragments } from './actions.js'
import type { Actor, Stage } from './actor.js'
import { nameOf, payloadOf, type Spec } from './payloads.js'
import { type Kind, type Path, Places } from './places.js'

/** What a run is about. */
export interface Profile {
  readonly kinds: readonly Kind[]
  /** What serves the connections; all of them by default. */
  readonly paths?: readonly Path[]
  /** How often each action is chosen, instead of its usual weight. */
  readonly weights?: Partial<Record<Action, number>>
  /** How often a client does something when it is sent a frame, and a handler when it is given a message. */
  readonly reactions?: { readonly client: number; readonly handler: number }
  readonly connections?: number
  /** Limits of the servers, instead of the model's usual ones. */
  readonly limits?: Partial<ServerLimits>
  /** Bytes that may wait for one client. */
  readonly mostWaiting?: number
  /** How many of the server's messages are long. */
  readonly long?: number
  /** Milliseconds by which the clock may be wrong each time that it is asked: slices and turns are cut anywhere. */
  readonly jitter?: number
  /** How messages are compressed where clients offer that, which most do; without it, none is. */
  readonly deflate?: DeflateOptions
  /** What is done in a turn of its own only: never inside of a handler, nor of a client that is sent a frame. */
  readonly outside?: readonly Action[]
}

/** A message whose handler is done with it. */
interface Past {
  readonly message: Message
  readonly spec: Spec
  /** It must throw: nobody has asked for its bytes in time. */
  readonly mustThrow: boolean
}

/** Whether a message is compressed: by its length, or as it is said. */
const COMPRESS = [{}, {}, { compress: true }, { compress: false }]
const DEEPEST = 4
const MOST_FAULTS = 5
const MOST_WAITING = 1_500_000
/** How long everything may take to arrive when nothing more is sent, in milliseconds. */
const PATIENCE = 8000

export class World implements Stage {
  readonly random: Random
  readonly profile: Profile
  readonly faults: string[] = []
  readonly actors = new Set<Actor>()
  readonly places: Places
  /** Frames that have arrived, at either end. */
  frames = 0
  /** A `send` or `publish` is being called. */
  sending = 0
  /** Nothing new is begun. */
  quiet = false
  readonly prepared: { readonly spec: Spec; readonly message: PreparedMessage }[] = []
  #depth = 0
  /** Nothing of the server's is running. */
  #outside = false
  #waiting: (() => void)[] = []
  #past: Past[] = []
  #names = 0
  #numbers = 0
  readonly #heldBefore: number
  readonly #actions: readonly Action[]

  constructor(seed: number, profile: Profile) {
    this.random = new Random(seed)
    this.profile = profile
    if (profile.deflate !== undefined) warmCompression()
    this.places = new Places(this)
    this.#heldBefore = heapOfThread().used
    this.#actions = Object.entries(ACTIONS).flatMap(([name, { weight }]) => {
      const action = name as Action
      return Array<Action>(profile.weights?.[action] ?? weight).fill(action)
    })
  }

  /** Runs until `frames` have arrived, ends everything, and looks at the books. Returns what was wrong. */
  static async run(seed: number, frames: number, profile: Profile): Promise<World> {
    const world = new World(seed, profile)
    const rightTime = performance.now
    if (profile.jitter !== undefined) performance.now = world.#wrongClock(seed, profile.jitter)
    try {
      await world.places.listen()
      await world.#play(frames)
      await world.#settle()
      await world.#end()
    } finally {
      performance.now = rightTime
    }
    return world
  }

  get mostWaiting(): number {
    return this.profile.mostWaiting ?? MOST_WAITING
  }

  fault(what: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(`after ${this.frames} frames, ${what}`)
  }

  delivered(actor: Actor): void {
    this.frames++
    if (this.random.chance(this.profile.reactions?.client ?? 0.05)) this.act(1, actor)
  }

  /** Does up to `most` things, perhaps inside of something else that was done; some of them with `actor`. */
  act(most: number, actor?: Actor): void {
    if (this.quiet || this.#depth >= DEEPEST || this.faults.length > 0) return
    this.#depth++
    const outside = this.#outside
    this.#outside = false
    try {
      for (let n = this.random.below(most + 1); n > 0; n--) {
        const action = this.random.pick(this.#actions)
        const whom = actor !== undefined && this.random.chance(0.3) ? actor : this.anyone()
        const may = outside || this.profile.outside?.includes(action) !== true
        if (whom !== undefined && may) ACTIONS[action].act(this, whom)
      }
    } catch (error) {
      this.fault(`an action threw ${error instanceof Error ? error.stack : String(error)}`)
    } finally {
      this.#depth--
    }
  }

  anyone(): Actor | undefined {
    return this.actors.size === 0 ? undefined : this.random.pick([...this.actors])
  }

  newName(): string {
    return `c${this.#names++}`
  }

  /** A message that is for many. */
  newSpec(stream: string, length: number): Spec {
    return { stream, number: this.#numbers++, length, form: this.random.pick(['binary', 'ascii', 'text']) }
  }

  /** Resolves in a later turn. */
  later(): Promise<void> {
    if (this.quiet) return new Promise((resolve) => setImmediate(resolve))
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Sends `data`, the message of `spec`, where that is allowed now. */
  send(actor: Actor, spec: Spec, data: Sendable): void {
    const { connection } = actor
    if (!actor.open || actor.busy || actor.sending > 0 || actor.fragments !== undefined) return
    const expected = actor.expect(spec, actor.streaming)
    const options = this.profile.deflate === undefined ? {} : this.random.pick(COMPRESS)
    const result = this.during(actor, () => connection?.send(data, options))
    if (result === 'closed' || result === 'dropped') expected.void = true
  }

  /** Notes that a call is under way that may make the server write. */
  during<Result>(actor: Actor | undefined, call: () => Result): Result {
    this.sending++
    if (actor !== undefined) actor.sending++
    try {
      return call()
    } finally {
      this.sending--
      if (actor !== undefined) actor.sending--
    }
  }

  /** A prepared message, new or used. */
  prepare(): { readonly spec: Spec; readonly message: PreparedMessage } {
    const known = this.random.chance(0.6) ? this.prepared[0] : undefined
    if (known !== undefined) return known
    const spec = this.newSpec('prepared ', this.random.pick([5, 120, 700, 3000, 18_000, 70_000]))
    const made = { spec, message: prepare(spec.form === 'binary' ? payloadOf(spec) : payloadOf(spec).toString()) }
    this.prepared.push(made)
    if (this.prepared.length > 4) this.prepared.shift()?.message.release()
    return made
  }

  /** A handler is done with a message: from now on, it is gone. */
  isPast(message: Message, spec: Spec, mustThrow: boolean): void {
    this.#past.push({ message, spec, mustThrow })
    if (this.#past.length > 40) this.#past.shift()
  }

  /** A message that is past shows nothing, or its own bytes. */
  lookBack(): void {
    for (const { message, spec, mustThrow } of this.#past.splice(0, this.#past.length / 2)) {
      try {
        const text = message.text()
        if (mustThrow) this.fault(`${nameOf(spec)} can be read after its handler has returned`)
        else if (text !== payloadOf(spec).toString()) this.fault(`${nameOf(spec)} shows other bytes afterwards`)
      } catch (error) {
        if (!/the message is gone/.test(String(error))) this.fault(`${nameOf(spec)}: ${String(error)}`)
      }
    }
  }

  /** A turn of the event loop, and what waits for one. */
  async turn(): Promise<void> {
    for (const actor of this.actors) actor.wire?.turn()
    const share = this.quiet ? 1 : 0.3
    const ready = this.#waiting.filter(() => this.random.chance(share))
    this.#waiting = this.#waiting.filter((resolve) => !ready.includes(resolve))
    for (const resolve of ready) resolve()
    await new Promise((resolve) => setImmediate(resolve))
    this.lookBack()
  }

  #wrongClock(seed: number, jitter: number): () => number {
    const random = new Random(seed)
    const rightTime = performance.now.bind(performance)
    return () => rightTime() + random.below(jitter + 1)
  }

  async #play(frames: number): Promise<void> {
    const { connections = 24 } = this.profile
    for (let idle = 0, before = 0; this.frames < frames && this.faults.length === 0; ) {
      while (this.actors.size < connections) this.places.spawn()
      for (let n = this.random.between(1, 10); n > 0; n--) {
        this.#outside = true
        this.act(1)
      }
      this.#outside = false
      await this.turn()
      for (const actor of this.actors) if (actor.connection === undefined && actor.clientGone) this.places.gone(actor)
      idle = this.frames === before ? idle + 1 : 0
      before = this.frames
      if (idle > 20_000) this.fault('nothing arrives any more')
    }
  }

  /** Everything that was sent arrives, where the connection is open. */
  async #settle(): Promise<void> {
    this.quiet = true
    const end = performance.now() + PATIENCE
    for (;;) {
      for (const actor of this.actors) {
        this.places.finish(actor)
        continueFragments(this, actor)
      }
      await this.turn()
      const owing = [...this.actors].filter((actor) => !this.#done(actor))
      if (owing.length === 0 || this.faults.length > 0) return
      await delay(1)
      if (performance.now() < end) continue
      for (const actor of owing) actor.fault(`${this.places.stateOf(actor)} at the end: ${actor.owed}`)
    }
  }

  /** Whether nothing more is to come: those that end need only be gone. */
  #done(actor: Actor): boolean {
    if (actor.connection === undefined && !actor.clientGone) return false
    return actor.open && !actor.leaving && actor.satisfied && !actor.streaming
  }

  /** Nothing is held of anybody. */
  async #end(): Promise<void> {
    for (const { message } of this.prepared.splice(0)) message.release()
    for (const actor of this.actors) this.random.pick([() => actor.clientLeaves(), () => actor.connection?.close()])()
    const end = performance.now() + (this.faults.length > 0 ? PATIENCE / 8 : PATIENCE)
    while (this.actors.size > 0 && performance.now() < end) await this.turn()
    if (this.actors.size > 0 && this.faults.length === 0)
      this.fault(`${[...this.actors].map(({ name }) => name)} do not end`)
    await this.places.close()
    if (this.faults.length > 0) return
    for (let turn = 0; turn < 10; turn++) await this.turn()
    while (this.#past.length > 1) this.lookBack()
    this.places.checkBooks()
    if (this.profile.deflate !== undefined) warmCompression() // the thread's inflation may have ended with a connection
    const held = heapOfThread().used - this.#heldBefore
    if (held !== 0) this.fault(`${held} bytes of the thread's memory are held when all is over`)
  }
}
