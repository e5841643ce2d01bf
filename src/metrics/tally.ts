// What frames that lie together count as: what is published to many subscribers is looked at once, and not for each.
import type { Buffer } from 'node:buffer'
import { Counts } from './counts.js'

const scratch = new Counts()

export class Tally {
  /** The places of the numbers that change, and by how much each does. */
  readonly places: readonly number[]
  readonly amounts: readonly number[]
  /** How many frames they are. */
  readonly frames: number

  /** Of the frames from `pointer` to `end`, each a whole message. */
  constructor(bytes: Buffer, pointer: number, end: number) {
    scratch.values.fill(0)
    this.frames = scratch.sentAll(bytes, pointer, end)
    const changed = [...scratch.values.entries()].filter(([, amount]) => amount !== 0)
    this.places = changed.map(([place]) => place)
    this.amounts = changed.map(([, amount]) => amount)
  }
}
