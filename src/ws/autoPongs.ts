// The pongs of one WebSocket that answer pings and have not left yet: a peer that pings, and does not read, must not make
// more and more of them wait.
import { OPCODE_PONG } from '../codec/frames.js'
import type { FrameSender } from './frameSender.js'
import { replaced } from './replaced.js'

/** The peer whose pings are answered. */
interface Answering {
  readonly frames: FrameSender
  terminate(): void
}

export class AutoPongs {
  readonly #owner: object
  readonly #peer: Answering
  #underWay = 0
  readonly #left = (): void => void this.#underWay--

  constructor(owner: object, peer: Answering) {
    this.#owner = owner
    this.#peer = peer
  }

  /** Answers a ping, or ends the connection where `most` pongs are under way already, which leave before. 0 is any number. */
  answer(payload: Uint8Array, most: number): void {
    const { frames } = this.#peer
    if (most > 0 && this.#underWay >= most) {
      frames.leave()
      return this.#peer.terminate()
    }
    this.#underWay++
    const pong = replaced(this.#owner, 'pong')
    if (pong === undefined) frames.control(OPCODE_PONG, payload, this.#left)
    else pong(payload, Reflect.get(this.#owner, '_isServer') !== true, this.#left)
  }
}
