// How the processes of this benchmark talk: one asks by name, the other answers, over the channel of node:child_process.
import { type ChildProcess, spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { leaveCore, pinned } from './process.js'

interface Question {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** What a program answers, by the name of the question. */
export type Answers = Readonly<Record<string, (argument: never) => unknown>>

/** What a program is started with, besides its arguments: flags of Node.js, and variables of the environment. */
interface Start {
  readonly flags?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** A program in a process of its own. */
export class Program {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #exited: Promise<void>
  #asked = 0
  /** Called with what the program tells without being asked. */
  noted: (note: string) => void = () => undefined
  #ended: string | undefined

  /** Starts a module on a core of its own; it must call `answer`. */
  constructor(
    core: number,
    module: string,
    args: readonly string[] = [],
    { flags = [], environment = {} }: Start = {},
  ) {
    const [program, ...rest] = pinned(core, [process.execPath, ...flags, module, ...args])
    const env = { ...process.env, ...environment }
    const child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'], env })
    this.#child = child
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2000)
    })
    child.on('message', (said: Answer | string) => {
      if (typeof said === 'string') return this.noted(said)
      const { id, result, error } = said
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(new Error(error))
    })
    this.#exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        const [why = ''] = /^\w*Error.*$/m.exec(said) ?? []
        this.#ended = `the process ended with ${code ?? signal}${why === '' ? '' : `: ${why}`}`
        for (const { reject } of this.#waiting.values()) reject(new Error(this.#ended))
        resolve()
      })
    })
  }

  /** How the process ended; undefined while it runs. */
  get ended(): string | undefined {
    return this.#ended
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Rejects with what the program threw, or when it ends, or after `patience` milliseconds. */
  ask<Result = void>(name: string, argument: unknown = null, patience = 60_000): Promise<Result> {
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(new Error(this.#ended))
      const timer = setTimeout(() => reject(new Error(`no answer to "${name}" for ${patience} ms`)), patience)
      const settled = (): void => clearTimeout(timer)
      this.#waiting.set(id, {
        resolve: (result) => {
          settled()
          resolve(result as Result)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      })
      this.#child.send({ id, name, argument } satisfies Question, (error) => {
        if (error !== null) this.#waiting.get(id)?.reject(error)
      })
    })
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

/** Who goes first on a core, as `nice` has it: what is measured, before those who disturb it, before what is over. */
const PRIORITIES = { first: -10, next: 0, aside: 0, last: 19 } as const

/** Who goes aside has the core only while nobody else wants it, and leaves it at once. */
export type Order = keyof typeof PRIORITIES

/** Of this process, or of another. Where the system does not let one go first, all go alike: figures are more disturbed. */
export function goes(order: Order, pid = 0): void {
  if (order === 'aside') leaveCore(pid)
  try {
    setPriority(pid, PRIORITIES[order])
  } catch {
    // Only root may go first.
  }
}

/** The side of the program: tells something without being asked. */
export function tell(note: string): void {
  process.send?.(note)
}

/** The side of the program: answers for as long as somebody may ask, and ends with whoever started it. */
export function answer(answers: Answers): void {
  process.on('disconnect', () => process.exit())
  process.on('message', ({ id, name, argument }: Question) => {
    const found = answers[name]
    const work = async (): Promise<unknown> => {
      if (found === undefined) throw new Error(`nobody answers to "${name}"`)
      return found(argument as never)
    }
    const say = (said: Answer): void => void process.send?.(said)
    work().then(
      (result) => say({ id, result: result ?? null }),
      (error: unknown) => say({ id, error: messageOf(error) }),
    )
  })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
