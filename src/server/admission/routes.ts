// Finds the route of a path: exact ones first, then patterns in the order in which they were given.
import { callerError } from '../../checks/errors.js'

/** A path's route, and the parts of the path that its pattern names. */
export interface Match<Value> {
  readonly value: Value
  readonly params: Readonly<Record<string, string>>
}

interface Pattern<Value> {
  readonly segments: readonly string[]
  /** It ends in `*`: what follows may be anything. */
  readonly open: boolean
  readonly value: Value
}

const NONE: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

export class Routes<Value> {
  readonly #exact = new Map<string, Value>()
  readonly #patterns: Pattern<Value>[] = []

  /**
   * `/chat` is that path, `/rooms/:room` one with any second segment, `/files/*` any below.
   * Throws a TypeError for a pattern that is no path.
   */
  constructor(routes: Readonly<Record<string, Value>>) {
    for (const [pattern, value] of Object.entries(routes)) {
      const open = pattern.endsWith('/*')
      const segments = (open ? pattern.slice(0, -2) : pattern).split('/').slice(1)
      const names = segments.filter((segment) => segment.startsWith(':'))
      const odd = !/^\/[!-~]*$/.test(pattern) || /[?#]/.test(pattern) || segments.some((one) => one.includes('*'))
      if (odd || names.includes(':') || new Set(names).size < names.length) {
        throw callerError(
          'ERR_ROUTE',
          `the route ${JSON.stringify(pattern)} is not a path: use /chat, /rooms/:room or /files/*`,
        )
      }
      if (open || names.length > 0) this.#patterns.push({ segments, open, value })
      else this.#exact.set(pattern, value)
    }
  }

  get empty(): boolean {
    return this.#exact.size === 0 && this.#patterns.length === 0
  }

  find(path: string): Match<Value> | undefined {
    const value = this.#exact.get(path)
    if (value !== undefined) return { value, params: NONE }
    if (this.#patterns.length === 0) return undefined
    const segments = path.split('/').slice(1)
    for (const pattern of this.#patterns) {
      const params = paramsOf(pattern, segments)
      if (params !== undefined) return { value: pattern.value, params }
    }
    return undefined
  }
}

function paramsOf<Value>(
  { segments, open }: Pattern<Value>,
  path: readonly string[],
): Match<Value>['params'] | undefined {
  if (open ? path.length <= segments.length : path.length !== segments.length) return undefined
  const params: Record<string, string> = Object.create(null)
  for (const [at, segment] of segments.entries()) {
    const given = path[at] ?? ''
    if (!segment.startsWith(':')) {
      if (segment !== given) return undefined
      continue
    }
    const value = decoded(given)
    if (value === undefined || value === '') return undefined
    params[segment.slice(1)] = value
  }
  if (open) params['*'] = path.slice(segments.length).join('/')
  return params
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined // %zz is no character: no route
  }
}
