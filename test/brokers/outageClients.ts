// Clients that know nothing of millrace but the envelope that the documentation describes: they follow a topic, come back
// when their connection is lost, and count what comes twice, what is missing, and what is missing without being told.
import { WebSocket } from 'ws'

/** Milliseconds after which a client comes back. */
const PAUSE = 50

export class Follower {
  readonly #url: string
  #socket: WebSocket | undefined
  #position: string | undefined
  /** A publication has come since the last request. */
  #isAhead = false
  /** Publishers of which nothing has come since a gap was told. */
  #told = new Set<string>()
  #ended = false
  /** The latest number of each publisher. */
  readonly latest = new Map<string, number>()
  answers = 0
  gaps = 0
  doubles = 0
  /** Publications of a publisher that are missing, and those of them that neither a gap nor the numbers of positions tell. */
  missing = 0
  untold = 0

  constructor(url: string) {
    this.#url = url
    this.#connect()
  }

  /** Loses its connection. */
  cut(): void {
    this.#socket?.terminate()
  }

  end(): void {
    this.#ended = true
    this.cut()
  }

  #connect(): void {
    const socket = new WebSocket(this.#url)
    this.#socket = socket
    socket.on('open', () => {
      this.#isAhead = false
      const after = this.#position === undefined ? {} : { after: this.#position }
      socket.send(`${JSON.stringify({ subscribe: 'news', ...after })}\n`)
    })
    socket.on('message', (data) => this.#take(String(data)))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (!this.#ended) setTimeout(() => this.#connect(), PAUSE)
    })
  }

  #take(message: string): void {
    const end = message.indexOf('\n')
    const header = JSON.parse(message.slice(0, end))
    if (header.topic !== undefined) return this.#publication(header.position, message.slice(end + 1))
    this.answers++
    if (header.resumed !== true) {
      this.gaps++
      this.#told = new Set(this.latest.keys())
    }
    if (!this.#isAhead) this.#position = header.position
  }

  #publication(position: string, payload: string): void {
    const [who = '', text] = payload.split(':', 2)
    const number = Number(text)
    const before = this.latest.get(who) ?? -1
    const hole = number - before - 1
    if (hole < 0) this.doubles++
    else {
      this.missing += hole
      const told = this.#position === undefined ? 0 : numberOf(position) - numberOf(this.#position) - 1
      if (hole > told && !this.#told.has(who)) this.untold += hole - told
      this.latest.set(who, number)
    }
    this.#isAhead = true
    this.#told.delete(who)
    this.#position = position
  }
}

/** The number of a position. */
function numberOf(position: string): number {
  return Number.parseInt(position.slice(position.indexOf('.') + 1), 36)
}
