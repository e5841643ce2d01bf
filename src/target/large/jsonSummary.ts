// A summary of a JSON document: what a server that has to look at every value would do with it.

export interface JsonSummary {
  readonly bytes: number
  readonly depth: number
  readonly objects: number
  readonly arrays: number
  readonly strings: number
  readonly numbers: number
  readonly booleans: number
  readonly nulls: number
}

/** A message, whole and readable now. */
interface Readable {
  readonly byteLength: number
  json(): unknown
}

/** Throws what `json` throws for a message that is no JSON. */
export function summarize(message: Readable): string {
  return JSON.stringify(summaryOf(message.json(), message.byteLength))
}

/** Goes through the values one after the other: a document may be nested deeper than calls may be. */
export function summaryOf(document: unknown, bytes: number): JsonSummary {
  const counts = { objects: 0, arrays: 0, strings: 0, numbers: 0, booleans: 0, nulls: 0 }
  let deepest = 0
  const values: unknown[] = [document]
  const depths: number[] = [1]
  for (let value = values.pop(); depths.length > 0; value = values.pop()) {
    const depth = depths.pop() ?? 0
    deepest = Math.max(deepest, depth)
    counts[kindOf(value)]++
    if (typeof value !== 'object' || value === null) continue
    for (const inner of Object.values(value)) {
      values.push(inner)
      depths.push(depth + 1)
    }
  }
  return { bytes, depth: deepest, ...counts }
}

function kindOf(value: unknown): keyof Omit<JsonSummary, 'bytes' | 'depth'> {
  if (value === null) return 'nulls'
  if (Array.isArray(value)) return 'arrays'
  if (typeof value === 'string') return 'strings'
  if (typeof value === 'number') return 'numbers'
  return typeof value === 'boolean' ? 'booleans' : 'objects'
}
