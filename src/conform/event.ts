// What can come from a peer, and how a person is told of it.
import { printable } from '../protocol/printable.js'

export type Event =
  | { readonly kind: 'message'; readonly text: boolean; readonly payload: Buffer; readonly compressed: boolean }
  | { readonly kind: 'ping' | 'pong'; readonly payload: Buffer }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  /** The peer has ended its half of the TCP connection. */
  | { readonly kind: 'end' }
  /** The TCP connection was cut. */
  | { readonly kind: 'lost'; readonly problem: string }
  /** The peer has broken a rule of frames itself, or a bound of ours. */
  | { readonly kind: 'broken'; readonly problem: string }

/** An event in a few words. */
export function shownEvent(event: Event): string {
  switch (event.kind) {
    case 'message':
      return `${event.text ? 'text' : 'a binary message'} of ${shownBytes(event.payload)}`
    case 'ping':
    case 'pong':
      return `a ${event.kind === 'ping' ? 'Ping' : 'Pong'} of ${shownBytes(event.payload)}`
    case 'close':
      return shownClose(event.code, event.reason)
    case 'end':
      return 'the end of the TCP connection, without a Close frame'
    case 'lost':
      return `the TCP connection was cut (${event.problem}), without a Close frame`
    case 'broken':
      return `a violation by the peer: ${event.problem}`
  }
}

export function shownClose(code: number, reason = ''): string {
  const words = reason === '' ? '' : ` (${printable(reason, 60)})`
  return code === 1005 ? 'a Close frame without a code' : `Close ${code}${words}`
}

const SHOWN = 24

/** A length, and the first bytes in hexadecimal. */
export function shownBytes(bytes: Buffer): string {
  const count = `${bytes.length} ${bytes.length === 1 ? 'byte' : 'bytes'}`
  if (bytes.length === 0) return count
  return `${count} [${bytes.subarray(0, SHOWN).toString('hex')}${bytes.length > SHOWN ? '…' : ''}]`
}
