// The pongs of one WebSocket that answer pings and have not left yet: a peer that pings, and does not read, must not make
// more and more of them wait.
import { OPCODE_PONG } from '../codec/frames.js'
import type { FrameSender } from './frameSender.js'

export class AutoPongs {
  #underWay = 0
  readonly #left = (): void => void this.#underWay--

  /** Answers a ping; false if `most` pongs are under way already. 0 is any number. */
  answer(frames: FrameSender, payload: Uint8Array, most: number): boolean {
    if (most > 0 && this.#underWay >= most) return false
    this.#underWay++
    frames.control(OPCODE_PONG, payload, this.#left)
    return true
  }
}
