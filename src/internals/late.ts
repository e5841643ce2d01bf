// Objects of Node's classes that are made when somebody first looks at them. Until then one is an empty object whose prototype
// has a getter for each property that the class would have given it: any of them, and so any method, has it made in its place.
import { inspect } from 'node:util'

/** Makes an object what it is taken for, by running its class's constructor on it. */
export interface Maker<Made extends object> {
  make(object: Made): void
}

/** What can be told of an object without making it, by the names of its properties. */
export type Peeks<M> = Readonly<Record<string, (maker: M) => unknown>>

export interface LateClass<Made extends object, M extends Maker<Made>> {
  /** An object that is made when somebody looks at it. */
  create(maker: M): Made
  /** Who is to make an object; undefined once it is made, and for any other object. */
  makerOf(object: object): M | undefined
}

/** A function that can be run on an object, as the constructors of node:net and node:http can. */
type Base<Made> = { readonly prototype: Made }

/** Whether a constructor can be run on an object that it has not made: no class written as `class` can. */
export function runsOnObjects(base: Base<object>, values: readonly unknown[]): boolean {
  try {
    Reflect.apply(base as never, Object.create(base.prototype), values)
    return true
  } catch {
    return false
  }
}

/** Where an object has itself: a Proxy of it, and whatever inherits from it, says by this which object is meant. */
const SELF = Symbol('self')

/** The late class of `base`; `sample` is a made object, whose properties are those that count. */
export function lateClass<Made extends object, M extends Maker<Made>>(
  base: Base<Made>,
  sample: Made,
  peeks: Peeks<M>,
): LateClass<Made, M> {
  class Late {
    readonly [SELF]: object = this
    #maker: M | undefined

    constructor(maker: M) {
      this.#maker = maker
    }

    static makerOf(object: object): M | undefined {
      return #maker in object ? object.#maker : undefined
    }

    /** Makes the object whose property was asked for: that is the object itself, or what it stands for or inherits from. */
    static look(object: object): boolean {
      const late: unknown = Reflect.get(object, SELF)
      if (!(late instanceof Late)) return false
      const maker = late.#maker
      if (maker === undefined) return false
      late.#maker = undefined
      Reflect.deleteProperty(late, SELF)
      Object.setPrototypeOf(late, base.prototype)
      maker.make(late as object as Made)
      return true
    }
  }
  const { prototype } = Late
  Object.setPrototypeOf(prototype, base.prototype)
  Object.defineProperty(prototype, 'constructor', { value: base, configurable: true, writable: true })
  const names = new Set<string | symbol>([...Reflect.ownKeys(sample), ...Object.keys(peeks), inspect.custom, 'toJSON'])
  for (const name of names) {
    const peek = typeof name === 'string' ? peeks[name] : undefined
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: object): unknown {
        const maker = peek && Late.makerOf(this)
        if (maker !== undefined) return peek?.(maker)
        return Late.look(this) ? Reflect.get(this, name) : undefined
      },
      set(this: object, value: unknown) {
        if (Late.look(this)) Reflect.set(this, name, value)
      },
    })
  }
  return { create: (maker) => new Late(maker) as object as Made, makerOf: Late.makerOf }
}
