// A clock that all processes of one machine share, in whole microseconds: stamps in payloads are times on it.
/** What of it `performance.now()` leaves out, which counts from when its process began. */
const BEGAN = Number(process.hrtime.bigint()) / 1e3 - performance.now() * 1e3
/** Two halves of 32 bits. */
const HALF = 2 ** 32

export function microseconds(milliseconds = performance.now()): number {
  return Math.floor(BEGAN + milliseconds * 1e3)
}

/** When that was, as `performance.now()` of this process tells it. */
export function momentOf(stamp: number): number {
  return (stamp - BEGAN) / 1e3
}

export function halvesOf(stamp: number): readonly [low: number, high: number] {
  return [stamp % HALF, Math.floor(stamp / HALF)]
}

export function ofHalves(low: number, high: number): number {
  return (high >>> 0) * HALF + (low >>> 0)
}
