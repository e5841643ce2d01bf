// The parser of a connection, by the limits of its route.
import { Parser } from '../../codec/parser.js'
import type { Role } from '../../protocol/role.js'
import type { IncomingContext } from './sink.js'

/** A parser for this side of a connection. Throws OutOfMemory. */
export function openParser(shared: IncomingContext, role: Role, compressed: boolean): Parser {
  const { maxMessage, maxFragments: fragments } = shared.limits
  const { heap, anyText, anyLength, streamThreshold } = shared
  const longest = streamThreshold === undefined ? maxMessage : Number.MAX_SAFE_INTEGER
  return new Parser(heap, role, { longest, fragments, compressed, anyText, anyLength })
}
