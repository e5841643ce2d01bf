// Each message is answered, by its echo or, with `--reply`, by as many messages as were said.
import type { ClientSocket } from '../dial.js'
import { disorderIn, unanswered } from '../disorder.js'
import { LoadConnection, type LoadShared } from '../loadConnection.js'
import { materialOf } from '../material.js'
import type { LoadOptions } from '../options.js'
import { ANY } from '../payload.js'
import type { Disorder } from '../sequence.js'
import { ClosedLoop, Schedule, type Sending } from '../strategies.js'
import type { Scheduled, Talk } from '../talk.js'
import { GroupedAnswers } from './groupedAnswers.js'
import { PongedMessages } from './pongedMessages.js'

export class EchoTalk implements Talk {
  readonly extra = 0
  readonly material
  readonly #shared: LoadShared
  readonly #connections: LoadConnection[] = []
  readonly #loops: { readonly outstanding: number }[] = []
  /** Messages that answer one; undefined for echoes. */
  readonly #answers: number | undefined
  /** Messages that came where no answer is due. */
  #unasked = 0

  constructor(shared: LoadShared, options: LoadOptions) {
    const { pattern } = options
    this.#shared = shared
    this.#answers = pattern?.name === 'reply' ? pattern.answers : undefined
    this.material = materialOf(shared.heap, this.#answers === undefined ? options : { ...options, sequence: false })
  }

  addressOf(url: URL): URL {
    return url
  }

  joined(dialled: ClientSocket, number: number): LoadConnection {
    const answers = this.#answers === undefined ? undefined : ANY
    const connection = new LoadConnection(this.#shared, dialled, answers, number)
    this.#connections.push(connection)
    return connection
  }

  begin(): void {
    for (const connection of this.#connections) {
      const loop = new ClosedLoop(this.#shared, this.#sending(connection))
      this.#loops.push(loop)
      loop.start()
    }
  }

  schedules(most: number): readonly Scheduled[] {
    return this.#connections.map((connection) => {
      const schedule = new Schedule(this.#shared, this.#sending(connection), most)
      this.#loops.push(schedule)
      return schedule
    })
  }

  get outstanding(): number | undefined {
    if (this.#answers !== undefined) return this.#loops.reduce((sum, loop) => sum + loop.outstanding, 0)
    return this.material.sequences && unanswered(this.#connections)
  }

  disorder(over: boolean): Disorder {
    if (this.#answers === undefined) return disorderIn(this.#connections, over)
    return { lost: over ? (this.outstanding ?? 0) : 0, doubled: 0, reordered: 0 }
  }

  get counts(): { readonly unasked: number } | undefined {
    return this.#answers === 0 ? { unasked: this.#unasked } : undefined
  }

  free(): void {
    this.material.sequences?.free()
  }

  #sending(connection: LoadConnection): Sending {
    if (this.#answers === undefined || this.#answers === 1) return connection
    if (this.#answers > 1) return new GroupedAnswers(connection, this.#answers)
    const unasked = (messages: number): void => {
      if (this.#shared.measuring) this.#unasked += messages
    }
    return new PongedMessages(connection, this.material.batch.messages, unasked)
  }
}
