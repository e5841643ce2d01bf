// The process of the honest peers: each sends a small message at a fixed pace, and waits for its echo. A wait begins when
// the message was due, so that whoever stops the sender by not reading is charged for that, too.
// usage: honest; it answers to the questions below.
import { connect, type Socket } from 'node:net'
import { BINARY } from '../../test/support/frames.js'
import { answer, goes } from '../support/talk.js'
import { frame, upgradeRequest } from './wire.js'

export interface HonestOrder {
  readonly port: number
  readonly connections: number
  /** Milliseconds between two messages of a connection. */
  readonly interval: number
  /** Milliseconds between two new connections; 0 is none. */
  readonly newcomers: number
}

/** What they saw; times in milliseconds. */
export interface HonestResult {
  /** The longest wait for an echo. */
  readonly longest: number
  /** By how much this process itself was late, at most. */
  readonly late: number
  readonly echoes: number
  /** Connections that the server ended. */
  readonly lost: number
  /** Messages without an answer when patience was at its end. */
  readonly unanswered: number
  readonly newcomers: Newcomers
}

export interface Newcomers {
  /** The longest wait for any answer. */
  readonly longest: number
  /** How often each answer came: a status, `reset`, or `nothing`. */
  readonly answers: Readonly<Record<string, number>>
}

const MESSAGE = frame(BINARY, 'honest!!')
/** Of an echo: two bytes of header, and the payload. */
const ECHO = 10
const HANDSHAKE = 3000

class HonestPeer {
  readonly #socket: Socket
  /** When each message that is not answered yet was due. */
  readonly #due: number[] = []
  #bytes = 0
  longest = 0
  echoes = 0
  lost = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#read(chunk.length))
    socket.once('close', () => {
      this.lost = true
    })
  }

  static async open(port: number): Promise<HonestPeer> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }).on('error', () => undefined)
    socket.write(upgradeRequest('/honest'))
    const status = await statusOf(socket, HANDSHAKE)
    if (status !== '101') throw new Error(`an honest peer was answered with ${status}`)
    return new HonestPeer(socket)
  }

  get waiting(): number {
    return this.#due.length
  }

  say(due: number): void {
    if (this.lost) return
    this.#due.push(due)
    this.#socket.write(MESSAGE)
  }

  /** Charges what is not answered with the time until now. */
  end(): void {
    const now = performance.now()
    for (const due of this.#due) this.longest = Math.max(this.longest, now - due)
    this.#socket.removeAllListeners('close').destroy()
  }

  #read(length: number): void {
    const now = performance.now()
    for (this.#bytes += length; this.#bytes >= ECHO; this.#bytes -= ECHO) {
      this.longest = Math.max(this.longest, now - (this.#due.shift() ?? now))
      this.echoes++
    }
  }
}

/** The status of the response; `reset` where the connection ended without one, `nothing` when the time is over. */
async function statusOf(socket: Socket, patience: number): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('nothing'), patience)
    const settle = (status: string): void => {
      clearTimeout(timer)
      socket.removeListener('close', ended)
      resolve(status)
    }
    const ended = (): void => settle('reset')
    socket.once('close', ended)
    socket.once('data', (chunk) => settle(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1'))?.[1] ?? 'nonsense'))
  })
}

class HonestPeers {
  readonly #order: HonestOrder
  readonly #peers: readonly HonestPeer[]
  readonly #timers: NodeJS.Timeout[] = []
  /** Those who have no answer yet, and since when they wait. */
  readonly #arriving = new Map<Socket, number>()
  readonly #answers: Record<string, number> = {}
  #slowest = 0
  #late = 0

  private constructor(order: HonestOrder, peers: readonly HonestPeer[]) {
    this.#order = order
    this.#peers = peers
    const { interval, newcomers } = order
    for (const peer of peers) this.#timers.push(this.#paced(interval, (due) => peer.say(due)))
    if (newcomers > 0) this.#timers.push(this.#paced(newcomers, () => this.#arrive()))
  }

  static async open(order: HonestOrder): Promise<HonestPeers> {
    const peers = await Promise.all(Array.from({ length: order.connections }, () => HonestPeer.open(order.port)))
    return new HonestPeers(order, peers)
  }

  /** Says nothing more, and waits for what is not answered yet, `patience` milliseconds at most. */
  async end(patience: number): Promise<HonestResult> {
    for (const timer of this.#timers) clearInterval(timer)
    const end = performance.now() + patience
    const waiting = (): number => this.#peers.reduce((sum, peer) => sum + (peer.lost ? 0 : peer.waiting), 0)
    while (waiting() + this.#arriving.size > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const account = { unanswered: waiting(), lost: this.#peers.filter(({ lost }) => lost).length }
    for (const peer of this.#peers) peer.end()
    for (const socket of this.#arriving.keys()) this.#arrived(socket, 'nothing')
    return {
      ...account,
      longest: Math.max(...this.#peers.map(({ longest }) => longest)),
      late: this.#late,
      echoes: this.#peers.reduce((sum, { echoes }) => sum + echoes, 0),
      newcomers: { longest: this.#slowest, answers: this.#answers },
    }
  }

  /** Calls once for each time that has become due. */
  #paced(interval: number, call: (due: number) => void): NodeJS.Timeout {
    let due = performance.now() + interval
    return setInterval(
      () => {
        const now = performance.now()
        this.#late = Math.max(this.#late, now - due)
        for (; due <= now; due += interval) call(due)
      },
      Math.min(interval, 5),
    )
  }

  #arrive(): void {
    const socket = connect({ host: '127.0.0.1', port: this.#order.port, noDelay: true }).on('error', () => undefined)
    this.#arriving.set(socket, performance.now())
    socket.write(upgradeRequest('/honest'))
    void statusOf(socket, HANDSHAKE).then((status) => this.#arrived(socket, status))
  }

  #arrived(socket: Socket, status: string): void {
    const began = this.#arriving.get(socket)
    if (began === undefined) return
    this.#arriving.delete(socket)
    this.#slowest = Math.max(this.#slowest, performance.now() - began)
    this.#answers[status] = (this.#answers[status] ?? 0) + 1
    socket.destroy()
  }
}

let honest: HonestPeers | undefined

// What delays this process is none of the server's doing.
goes('first')
answer({
  begin: async (order: HonestOrder) => {
    honest = await HonestPeers.open(order)
  },
  end: (patience: number) => honest?.end(patience),
})
