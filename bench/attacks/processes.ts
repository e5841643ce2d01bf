// The three processes of a measurement: the server on a core of its own, the honest peers and the attackers on the other.
import { fileURLToPath } from 'node:url'
import type { Pace as MeasuringPace } from '../support/suite.js'
import { Program } from '../support/talk.js'
import type { AttackOrder } from './attackerProgram.js'
import type { HonestOrder, HonestResult } from './honest.js'
import type { Memory, Ports } from './target.js'

const module = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url))

/** Rounds are of each attack; the least disturbed one counts. */
export interface Pace extends Omit<MeasuringPace, 'warmup'> {
  /** Milliseconds that an echo is waited for after its round. */
  readonly patience: number
}

const SERVER = 0
const CLIENTS = 1
/** Attackers come from an address of their own. */
const ELSEWHERE = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1'

export class Processes {
  readonly #server: Program
  readonly #attackers: Program
  readonly #honest: Program
  readonly ports: Ports

  private constructor(server: Program, attackers: Program, honest: Program, ports: Ports) {
    this.#server = server
    this.#attackers = attackers
    this.#honest = honest
    this.ports = ports
  }

  /** Starts all three; the server is that of a built checkout. */
  static async open(checkout: string): Promise<Processes> {
    const server = new Program(SERVER, module('target'), [checkout], { flags: ['--expose-gc'] })
    const attackers = new Program(CLIENTS, module('attackerProgram'), [])
    const honest = new Program(CLIENTS, module('honest'), [])
    try {
      return new Processes(server, attackers, honest, await server.ask<Ports>('ports'))
    } catch (error) {
      await Promise.all([server, attackers, honest].map((program) => program.stop()))
      throw error
    }
  }

  /** How the server ended; undefined while it runs. */
  get ended(): string | undefined {
    return this.#server.ended
  }

  /** The process of the server. */
  get server(): number {
    return this.#server.pid
  }

  attack(name: string, count?: number): Promise<void> {
    const order: AttackOrder = { name, ports: this.ports, from: ELSEWHERE, ...(count !== undefined && { count }) }
    return this.#attackers.ask('attack', order)
  }

  /** They stay connected and write nothing more; resolves with the bytes that they have sent. */
  hush(): Promise<number> {
    return this.#attackers.ask('hush')
  }

  /** They are gone; resolves with the bytes that they have sent. */
  leave(): Promise<number> {
    return this.#attackers.ask('leave')
  }

  begin(order: Omit<HonestOrder, 'port'>): Promise<void> {
    return this.#honest.ask('begin', { ...order, port: this.ports.plain } satisfies HonestOrder)
  }

  end(patience: number): Promise<HonestResult> {
    return this.#honest.ask('end', patience, patience + 10_000)
  }

  memory(patience: number): Promise<Memory> {
    return this.#server.ask('memory', null, patience)
  }

  /** Ends the process of the attackers; from now on, the server makes way for others that are measured. */
  async dismiss(): Promise<void> {
    await Promise.all([this.#attackers.stop(), this.#server.ask('retire')])
  }

  async close(): Promise<void> {
    await Promise.all([this.#server, this.#attackers, this.#honest].map((program) => program.stop()))
  }
}
