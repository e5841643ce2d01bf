// How many connections each acceptor has, where all of them can look it up for the price of a system call: in a file
// without a name, which they inherit open. It needs neither messages nor the primary's time.
import { fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TALLY_DESCRIPTOR } from './environment.js'

/** The memory of the system, where there is such a folder, else its disk. */
const FOLDERS = ['/dev/shm', tmpdir()]
/** Bytes of a place: the number of its connections and one, or 0 where nobody listens. */
const PLACE = 4

/** A new tally with so many places, for the primary; undefined where no file can be made. */
export function makeTally(places: number): Tally | undefined {
  for (const folder of FOLDERS) {
    try {
      const path = join(folder, `millrace-${process.pid}-${Date.now()}`)
      const descriptor = openSync(path, 'wx+', 0o600)
      unlinkSync(path)
      ftruncateSync(descriptor, places * PLACE)
      return new Tally(descriptor, places)
    } catch {
      // The folder is read-only, full, or missing.
    }
  }
  return undefined
}

/** The tally that an acceptor inherits; undefined where the primary could not make one. */
export function inheritTally(): Tally | undefined {
  try {
    const places = fstatSync(TALLY_DESCRIPTOR).size / PLACE
    return places > 0 ? new Tally(TALLY_DESCRIPTOR, places) : undefined
  } catch {
    return undefined
  }
}

export class Tally {
  readonly descriptor: number
  readonly places: number
  readonly #all: Uint32Array
  readonly #own = new Uint32Array(1)

  constructor(descriptor: number, places: number) {
    this.descriptor = descriptor
    this.places = places
    this.#all = new Uint32Array(places)
  }

  /** Tells how many connections the acceptor at a place has; undefined if it accepts none. */
  tell(place: number, connections: number | undefined): void {
    this.#own[0] = connections === undefined ? 0 : connections + 1
    writeSync(this.descriptor, this.#own, 0, PLACE, place * PLACE)
  }

  /** The fewest connections that an acceptor has. */
  fewest(): number {
    readSync(this.descriptor, this.#all, 0, this.#all.byteLength, 0)
    let fewest = Infinity
    for (const told of this.#all) if (told > 0 && told <= fewest) fewest = told - 1
    return fewest
  }
}
