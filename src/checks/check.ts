// Checks the options of a function by name and kind, at the call: an option that nobody knows is a limit that is not in
// force, or a handler that nobody calls.
import { insteadOf, optionFor, optionOrHandlerFor } from './aliases.js'
import { callerError } from './errors.js'
import { type Checklist, type Kind, shown } from './kinds.js'
import { nearest, sameName } from './spelling.js'

/** The other functions that take options: an error can name the right place for a misplaced option. */
export type Elsewhere = readonly Checklist[]

/**
 * Throws a TypeError for what is no object of options, for names that are none of them, and for values of the wrong
 * kind; a RangeError for numbers that are out of bounds. Members that are undefined are as if they were absent.
 *
 * The object of handlers is their `this`, so it may hold what is the application's own: any object (a Map of users),
 * and where it has a class, anything. Of these names, only those are refused that can hardly mean anything but an option.
 */
export function checkOptions(given: unknown, list: Checklist, elsewhere: Elsewhere = []): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw callerError('ERR_OPTION_KIND', `${list.owner} takes an object of options, not ${shown(given)}`)
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(list.options, name) || Reflect.get(given, name) === undefined) continue
    const words = mayPass(name, given, list, elsewhere) ? misspelt(name, given, list) : complaint(name, list, elsewhere)
    if (words !== undefined) throw callerError('ERR_OPTION_UNKNOWN', `${list.owner} has no option '${name}'${words}`)
  }
  for (const [name, kind] of Object.entries(list.options)) {
    const value: unknown = Reflect.get(given, name)
    if (value !== undefined) checkValue(list.prefix + name, value, kind, elsewhere)
  }
}

/** Throws a TypeError for a value of the wrong kind, and a RangeError for a number that is out of bounds. */
export function checkValue(name: string, value: unknown, kind: Kind, elsewhere: Elsewhere = []): void {
  const isOfKind = kind.is(value)
  if (isOfKind && (kind.within?.(value) ?? true)) {
    if (kind.members !== undefined && typeof value === 'object') checkOptions(value, kind.members, elsewhere)
    return
  }
  const advice = kind.advice?.(value)
  if (Array.isArray(value) && advice !== undefined) throw callerError('ERR_OPTION_KIND', `${name}: ${advice}`)
  const found = kind.secret === true && typeof value === 'string' ? '' : `, not ${shown(value)}`
  const words = `${name} must be ${kind.words}${found}${advice === undefined ? '' : `: ${advice}`}`
  throw callerError(isOfKind ? 'ERR_OPTION_RANGE' : 'ERR_OPTION_KIND', words)
}

/** Throws a TypeError for arguments after those that a function takes, a callback for instance. */
export function checkNoMore(more: readonly unknown[], advice: string): void {
  if (more.some((argument) => argument !== undefined)) throw callerError('ERR_ARGUMENT_SURPLUS', advice)
}

/** Whether it is an object literal, of whichever realm, or has no prototype at all: an object without a class of its own. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether a name that is no option may be something else: the application's own, or known to the code that gets the object. */
function mayPass(name: string, given: object, list: Checklist, elsewhere: Elsewhere): boolean {
  if (list.open === true) return true
  if (list.own !== true) return false
  if (!isPlain(given)) return true
  const isElsewhere = insteadOf(name) !== undefined || elsewhere.some(({ options }) => Object.hasOwn(options, name))
  return typeof Reflect.get(given, name) === 'object' && !isElsewhere
}

/** What is said of a name that is no option, by what may have been meant. */
function complaint(name: string, list: Checklist, elsewhere: Elsewhere): string {
  const names = Object.keys(list.options)
  const alias = optionOrHandlerFor(name)
  if (alias !== undefined && names.includes(alias)) return `: did you mean '${alias}'?`
  const same = names.find((option) => sameName(name, option))
  if (same !== undefined) return `: did you mean '${same}'?`
  const home = elsewhere.find(({ options }) => Object.hasOwn(options, name))
  const homeOfAlias = elsewhere.find(({ options }) => alias !== undefined && Object.hasOwn(options, alias))
  const instead = insteadOf(name)
  if (instead !== undefined) return `: ${instead}`
  if (home !== undefined) return `: it belongs to ${home.example(name)}`
  if (homeOfAlias !== undefined && alias !== undefined) return `: did you mean ${homeOfAlias.example(alias)}?`
  const near = nearest(name, names)
  if (near !== undefined) return `: did you mean '${near}'?`
  if (list.own === true)
    return ': docs/api.md lists the options. To keep a value of your own here, put it into an object'
  return names.length > MOST_LISTED ? ': docs/api.md lists the options' : `: there is ${names.join(', ')}`
}

/** More names than a message should have. */
const MOST_LISTED = 16

/** The same where names that nobody knows may pass: undefined for those that do. */
function misspelt(name: string, given: object, list: Checklist): string | undefined {
  const names = Object.keys(list.options)
  const alias = optionFor(name)
  const near = list.open === true ? nearest(name, names) : names.find((option) => sameName(name, option))
  const meant = alias !== undefined && names.includes(alias) ? alias : near
  return meant === undefined || Reflect.get(given, meant) !== undefined ? undefined : `: did you mean '${meant}'?`
}
