// What the target sends of its own: payloads of any length from one piece of memory, which begin with their number where
// there is room for it, so that a client sees whether one is missing.

/** Digits of a number, and the blank behind it. */
const DIGITS = 10
const LINE = 'the water turns the wheel, and the wheel turns the stone. '

const SHORT = Buffer.from('-'.repeat(DIGITS))

let pattern = Buffer.alloc(0)

/** A payload of so many bytes of ASCII. It is valid until the next call: whoever sends it copies it. */
export function payloadOf(length: number, number: number): Buffer {
  if (length <= DIGITS) return SHORT.subarray(0, length)
  if (pattern.length < length) pattern = Buffer.alloc(Math.max(length, 65_536), LINE)
  const payload = pattern.subarray(0, length)
  payload.write(`${String(number % 10 ** DIGITS).padStart(DIGITS, '0')} `, 'latin1')
  return payload
}
