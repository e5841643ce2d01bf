// One way to misbehave. The catalogue's files list them by the state of the connection that they abuse.
import type { Attacker } from './attacker.js'

export interface Attack {
  /** For `--only`. */
  readonly name: string
  /** What the peer does, for the table. */
  readonly title: string
  /** Connections of the attack. Default 1. */
  readonly count?: number
  /** Seconds that a round must last for the attack to come to its point. Default: those of the pace. */
  readonly seconds?: number
  /** Whether it is also tried with a thousand attackers at once. */
  readonly many?: boolean
  /** Prepares what the attack needs, once. */
  prepare?(attacker: Attacker): Promise<void>
  /** What each connection does, from its dialling on. */
  one(attacker: Attacker, index: number): Promise<void>
}

type More = Pick<Attack, 'count' | 'many' | 'seconds'> & { readonly reads?: boolean }

/** An attack that opens `path` and writes `bytes` again and again, reading the answers or not. */
export function flooding(
  name: string,
  title: string,
  path: string,
  bytes: () => Buffer,
  { reads = true, ...more }: More = {},
): Attack {
  const built = once(bytes)
  return opening(name, title, async (attacker) => attacker.flood(await attacker.open(path, { reads }), built()), more)
}

/** An attack that does something once per connection. */
export function opening(name: string, title: string, one: Attack['one'], more: Omit<More, 'reads'> = {}): Attack {
  return { name, title, ...more, one }
}

/** An attack that does the same again and again. */
export function repeating(name: string, title: string, work: Attack['one'], more: Omit<More, 'reads'> = {}): Attack {
  return opening(name, title, (attacker, index) => attacker.again(() => work(attacker, index)), more)
}

/** Builds a value when it is first needed, and keeps it. */
export function once<Value>(build: () => Value): () => Value {
  let built: { readonly value: Value } | undefined
  return () => {
    built ??= { value: build() }
    return built.value
  }
}
