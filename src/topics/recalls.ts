// What is asked of whoever numbers and keeps the publications of all processes: where a topic stands, and what is older than
// what is here. It is asked once for all who wait on a topic, piece by piece; who waits is always told, also that nobody
// has answered.
import type { Histories } from './history.js'
import type { OrderingBroker, Recalled, Standing } from './ordering.js'
import type { TopicHistory } from './topicHistory.js'

/** Milliseconds that an answer may take. */
const PATIENCE = 5000
/** Questions that are on their way at a time: each answer may be long. */
const MOST_ASKED = 8
/** Answers in a row that bring nothing, after which no more comes: the memory here holds no more. */
const MOST_VAIN = 3

/** Whom to ask for what is not here. */
export interface Upstream {
  /**
   * Asks for what was published on a topic after this number. `told` is called once, in a later turn: with true when it is
   * known where the topic stands, and as much as there is of what is wanted is in the history; with false when nobody has
   * answered.
   */
  ask(history: TopicHistory, after: number, told: (isTold: boolean) => void): void
}

/** What is done with answers. */
export interface Shelf {
  /** Puts publications in front of a history. */
  insert(history: TopicHistory, publications: readonly Recalled[]): void
  /** The latest publication has this number, and has not come. */
  skip(history: TopicHistory, number: number): void
}

interface Wait {
  readonly after: number
  told(isTold: boolean): void
}

/** Those who wait on a topic. */
interface Question {
  readonly history: TopicHistory
  waits: Wait[]
  /** Whether it is on its way now. */
  isAsked: boolean
  vain: number
  timer: NodeJS.Timeout | undefined
}

export class Recalls implements Upstream {
  readonly #histories: Histories
  readonly #broker: OrderingBroker
  readonly #shelf: Shelf
  readonly #questions = new Map<string, Question>()
  #asked = 0
  /** How many answers have come. */
  #answers = 0

  constructor(histories: Histories, broker: OrderingBroker, shelf: Shelf) {
    this.#histories = histories
    this.#broker = broker
    this.#shelf = shelf
  }

  ask(history: TopicHistory, after: number, told: (isTold: boolean) => void): void {
    const { name } = history.idle
    const known = this.#questions.get(name)
    if (known?.history === history) return void known.waits.push({ after, told })
    if (known !== undefined) this.#end(name, known, false)
    this.#questions.set(name, { history, waits: [{ after, told }], isAsked: false, vain: 0, timer: undefined })
    queueMicrotask(() => this.#askNext())
  }

  /** Whether something is asked of a topic. */
  asks(name: string): boolean {
    return this.#questions.has(name)
  }

  /** An answer has come. */
  answered(name: string, standing: Standing, publications: readonly Recalled[]): void {
    this.#answers++
    const question = this.#questions.get(name)
    const history = question?.history ?? this.#histories.find(name)
    if (history === undefined) return
    this.#histories.epoch = standing.epoch
    // What comes before the answer has come before it: what is not here then is lost.
    if (!history.isKnown || standing.last > history.last) this.#shelf.skip(history, standing.last)
    const { first } = history
    if (publications.at(-1)?.number === first - 1) this.#shelf.insert(history, publications)
    if (question?.isAsked !== true) return
    this.#unask(question)
    question.vain = history.first < first ? 0 : question.vain + 1
    this.#judge(name, question, standing)
    this.#askNext()
  }

  /** Nobody will answer any more. */
  end(): void {
    for (const [name, question] of this.#questions) this.#end(name, question, false)
  }

  /** Tells those for whom all is here that there is, or can be. */
  #judge(name: string, question: Question, { first }: Standing): void {
    const { history, waits } = question
    const isDone = ({ after }: Wait): boolean =>
      after >= history.first - 1 || after < first - 1 || question.vain >= MOST_VAIN
    question.waits = waits.filter((wait) => !isDone(wait))
    if (question.waits.length === 0) this.#questions.delete(name)
    for (const wait of waits) if (isDone(wait)) wait.told(true)
  }

  #askNext(): void {
    for (const [name, question] of this.#questions) {
      if (this.#asked >= MOST_ASKED) return
      if (!question.isAsked) this.#ask(name, question)
    }
  }

  #ask(name: string, question: Question): void {
    const { history, waits } = question
    const after = waits.reduce((least, wait) => Math.min(least, wait.after), Number.POSITIVE_INFINITY)
    const before = history.isKnown ? history.first : Number.POSITIVE_INFINITY
    question.isAsked = true
    this.#asked++
    const answers = this.#answers
    question.timer = setTimeout(() => this.#late(name, question, answers), PATIENCE).unref()
    if (!this.#broker.recall(name, after, before)) this.#end(name, question, false)
  }

  /** Where no answer has come to anybody since it was asked, those who have not been asked for yet do not wait as long again. */
  #late(name: string, question: Question, answers: number): void {
    if (answers === this.#answers) return this.end()
    this.#end(name, question, false)
    this.#askNext()
  }

  #unask(question: Question): void {
    clearTimeout(question.timer)
    if (question.isAsked) this.#asked--
    question.isAsked = false
  }

  #end(name: string, question: Question, isTold: boolean): void {
    this.#unask(question)
    if (this.#questions.get(name) === question) this.#questions.delete(name)
    for (const wait of question.waits.splice(0)) wait.told(isTold)
  }
}
