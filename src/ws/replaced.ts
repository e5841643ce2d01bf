// Methods that a WebSocket calls by itself when its peer has said something. As with ws, they are those of the object: a program
// may have put its own in their place, there or in a class.

/** A method that may be replaced. */
export type Replaceable = 'close' | 'pong'

type Method = (...values: readonly unknown[]) => unknown

const originals = new Map<string, unknown>()

/** Keeps those of the class, by which others are known. */
export function keepOriginals(prototype: Readonly<Record<Replaceable, unknown>>): void {
  for (const name of ['close', 'pong'] as const) originals.set(name, prototype[name])
}

/** What the program has put in the place of a method, bound to its object; undefined if it has not. */
export function replaced(owner: object, name: Replaceable): Method | undefined {
  const method: unknown = Reflect.get(owner, name)
  if (typeof method !== 'function' || method === originals.get(name)) return undefined
  return (...values) => Reflect.apply(method, owner, values)
}
