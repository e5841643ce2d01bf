// What the tables of a server's options and of a client's have in common.
import { type Checklist, callback, either, flag, type Kind, object, oneOf, wholeNumber } from './kinds.js'
import { deflateQuantities, type Quantity, windowQuantities } from './quantities.js'

export type Table = Readonly<Record<string, Kind>>

/** The kinds of the numbers of a table. */
export function numbers<Name extends string>(table: Readonly<Record<Name, Quantity>>): Readonly<Record<Name, Kind>> {
  const kinds = Object.entries<Quantity>(table).map(([name, { least, most }]) => [name, wholeNumber(least, most)])
  return Object.fromEntries(kinds) as Record<Name, Kind>
}

export const handlers = {
  open: callback,
  message: callback,
  stream: callback,
  largeResult: callback,
  drain: callback,
  ping: callback,
  pong: callback,
  refresh: callback,
  leftOut: callback,
  close: callback,
  error: callback,
} satisfies Table

export const contextOptions = {
  owner: 'the option deflate.contextTakeover',
  prefix: 'deflate.contextTakeover.',
  example: (name: string) => `deflate: { contextTakeover: { ${name} } }`,
  options: { server: flag, client: flag },
} satisfies Checklist

const windows = numbers(windowQuantities)

export const windowOptions = {
  owner: 'the option deflate.windowBits',
  prefix: 'deflate.windowBits.',
  example: (name: string) => `deflate: { windowBits: { ${name} } }`,
  options: windows,
} satisfies Checklist

export const deflateOptions = {
  owner: 'the option deflate',
  prefix: 'deflate.',
  example: (name: string) => `deflate: { ${name} }`,
  options: {
    contextTakeover: either(flag, object('an object: { server, client }', contextOptions)),
    windowBits: either(windows.server, object('an object: { server, client }', windowOptions)),
    level: oneOf('fast', 'best'),
    ...numbers(deflateQuantities),
  },
} satisfies Checklist

/** What `deflate` may be. */
export const deflate = either(flag, object('an object: { contextTakeover, windowBits, threshold }', deflateOptions))
