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
    const places: number[] = []
    const amounts: number[] = []
    // A plain loop: this runs for each turn in which something is published, and nearly all of the numbers are 0.
    for (let place = 0; place < scratch.values.length; place++) {
      const amount = scratch.values[place] ?? 0
      if (amount === 0) continue
      places.push(place)
      amounts.push(amount)
    }
    this.places = places
    this.amounts = amounts
  }
}
