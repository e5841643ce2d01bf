// Times and counts as a person reads them.

/** Microseconds in three digits or so. */
export function time(micros: number): string {
  if (micros < 1000) return `${short(micros)} µs`
  return micros < 1_000_000 ? `${short(micros / 1000)} ms` : `${short(micros / 1_000_000)} s`
}

export function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function plural(count: number, name: string): string {
  return `${whole(count)} ${name}${count === 1 ? '' : 's'}`
}
