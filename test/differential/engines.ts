// The two modules that a program runs on: ws itself, which is right by definition, and millrace/ws.
import { createRequire } from 'node:module'
import * as real from 'ws'
import * as facade from '../../src/ws.js'

export interface Engine {
  readonly name: 'ws' | 'millrace'
  readonly module: typeof real
  /** What a child process imports. */
  readonly specifier: string
}

// Whoever requires ws gets a class with all of the others as its properties; whoever imports it only gets those with it.
createRequire(import.meta.url)('ws')

/** The types of millrace/ws are written by hand, to be those of @types/ws (test/types); the module is this one. */
const millrace = facade as unknown as typeof real

export const engines: readonly [Engine, Engine] = [
  { name: 'ws', module: real, specifier: import.meta.resolve('ws') },
  { name: 'millrace', module: millrace, specifier: new URL('../../src/ws.js', import.meta.url).href },
]
