// How Web IDL shapes an interface where a class of JavaScript is shaped otherwise (section 3.7): constants stand on the class and
// its prototype, members can be enumerated, and an operation needs its arguments before it looks at anything else.
import { callerError } from '../checks/errors.js'

/** Gives a class the shape of an interface. Its static members that are in `constants` are those. */
export function shapeInterface(
  { prototype, name }: { readonly prototype: object; readonly name: string },
  constants: Readonly<Record<string, number>>,
): void {
  for (const [constant, value] of Object.entries(constants)) {
    Object.defineProperty(prototype, constant, { value, enumerable: true })
  }
  for (const [member, shape] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (member !== 'constructor') Object.defineProperty(prototype, member, { ...shape, enumerable: true })
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true })
}

/** Throws the TypeError for a call without the argument that it needs. */
export function requireArgument(call: string, given: ArrayLike<unknown>): void {
  if (given.length === 0) throw callerError('ERR_ARGUMENT_KIND', `${call} needs an argument`)
}
