// Where a topic stands: an epoch, which tells who counts, and the number of the latest publication. Users see a short
// string, which comes back from clients, and so may be anything.

/** A place among the publications of a topic. */
export interface Position {
  /** Whoever numbers the publications: a random number. After its end, its numbers mean nothing any more. */
  readonly epoch: number
  /** The number of a publication on its topic: the next one has the next number. */
  readonly number: number
}

/** Digits of both parts of the string. */
const RADIX = 36
const FORM = /^([0-9a-z]{1,10})\.([0-9a-z]{1,11})$/

export function positionText({ epoch, number }: Position): string {
  return `${epoch.toString(RADIX)}.${number.toString(RADIX)}`
}

/** Undefined for a string that no position has. */
export function readPosition(text: string): Position | undefined {
  const [, first, second] = FORM.exec(text) ?? []
  if (first === undefined || second === undefined) return undefined
  const position = { epoch: Number.parseInt(first, RADIX), number: Number.parseInt(second, RADIX) }
  return Number.isSafeInteger(position.number) ? position : undefined
}

/** Whether a publication at `position` was had by someone who has had all up to `had`. */
export function isHad(position: string, had: string): boolean {
  const [one, other] = [readPosition(position), readPosition(had)]
  return one !== undefined && one.epoch === other?.epoch && one.number <= other.number
}
