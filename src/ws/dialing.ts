// Clients, where a program runs with `millrace/ws/register`: this room's class has none yet, so `new WebSocket(url)` is the
// business of ws itself. What it makes is a WebSocket of ours by its prototype, and of ws by what its methods do.

/** A class, with whatever arguments. */
export type Constructor = new (...values: never[]) => object

/** A class whose instances that are made for an address are made by `dialer()`; throws what that throws. */
export function dialing<Class extends Constructor>(
  Own: Class,
  owns: (object: object) => boolean,
  dialer: () => Constructor,
): Class {
  let Real: Constructor | undefined
  const proxy: Class = new Proxy(Own, {
    construct(target, values: unknown[], newTarget) {
      if (values[0] === null) return Reflect.construct(target, values, newTarget)
      if (Real === undefined) {
        Real = dialer()
        share(Own.prototype, Real.prototype, owns)
      }
      return Reflect.construct(Real, values, newTarget)
    },
    get: (target, name, receiver) => (name === 'WebSocket' ? proxy : Reflect.get(target, name, receiver)),
  })
  Object.defineProperty(Own.prototype, 'constructor', { value: proxy, writable: true, configurable: true })
  return proxy
}

type Owns = (object: object) => boolean

/** From now on, each member of `own` does what that of `real` does, on objects which are not of this class. */
function share(own: object, real: object, owns: Owns): void {
  for (const name of new Set([...Reflect.ownKeys(own), ...Reflect.ownKeys(real)])) {
    if (name === 'constructor') continue
    const [ours, theirs] = [own, real].map((prototype) => Reflect.getOwnPropertyDescriptor(prototype, name))
    const shared = ours === undefined ? theirs : sharedMember(name, ours, theirs, owns)
    if (shared !== undefined) Object.defineProperty(own, name, shared)
  }
}

function sharedMember(
  name: PropertyKey,
  ours: PropertyDescriptor,
  theirs: PropertyDescriptor | undefined,
  owns: Owns,
): PropertyDescriptor | undefined {
  if (ours.get !== undefined || ours.set !== undefined) return sharedAccessor(name, ours, theirs, owns)
  const [method, other]: unknown[] = [ours.value, theirs?.value]
  if (typeof method !== 'function' || typeof other !== 'function') return undefined
  const value = function (this: object, ...values: unknown[]): unknown {
    return Reflect.apply(owns(this) ? method : other, this, values)
  }
  return { ...ours, value }
}

/** An accessor of ours may be a plain property there: then it becomes one of the object, as its constructor sets it. */
function sharedAccessor(
  name: PropertyKey,
  ours: PropertyDescriptor,
  theirs: PropertyDescriptor | undefined,
  owns: Owns,
): PropertyDescriptor {
  return {
    ...ours,
    get(this: object) {
      return (owns(this) ? ours : theirs)?.get?.call(this)
    },
    set(this: object, value: unknown) {
      if (owns(this)) ours.set?.call(this, value)
      else if (theirs === undefined) {
        Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true })
      } else theirs.set?.call(this, value)
    },
  }
}
