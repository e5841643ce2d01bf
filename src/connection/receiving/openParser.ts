// The parser of a connection, by the limits of its route.
import { Parser } from '../../codec/parser.js'
import type { Role } from '../../protocol/role.js'
import { type IncomingContext, longestOf } from './sink.js'

/** A parser for this side of a connection. Throws OutOfMemory. */
export function openParser(shared: IncomingContext, role: Role, compressed: boolean): Parser {
  const { heap, limits, anyText, anyLength, limitsCompressed } = shared
  const { maxFragments: fragments } = limits
  const longest = longestOf(shared)
  return new Parser(heap, role, { longest, fragments, compressed, limitsCompressed, anyText, anyLength })
}
