// The words in which cases are written: frames, payloads and steps.
import { Buffer } from 'node:buffer'
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../codec/frames.js'
import type { Bytes, DeflateWish, Draft, Frame, HeadChange, Level, Side, Step } from './case.js'

type Given = Bytes | string

/** How a frame differs from an ordinary one. */
type Change = Omit<Frame, 'opcode' | 'payload'>

function bytesOf(given: Given): Bytes {
  return typeof given === 'string' ? Buffer.from(given) : given
}

export function frame(opcode: number, payload: Given = '', change: Change = {}): Frame {
  return { opcode, payload: bytesOf(payload), ...change }
}

export const text = (payload: Given, change?: Change): Frame => frame(OPCODE_TEXT, payload, change)
export const binary = (payload: Given, change?: Change): Frame => frame(OPCODE_BINARY, payload, change)
export const ping = (payload: Given = '', change?: Change): Frame => frame(OPCODE_PING, payload, change)
export const pong = (payload: Given = '', change?: Change): Frame => frame(OPCODE_PONG, payload, change)

/** A continuation; the last one of its message, unless `fin` is false. */
export const more = (payload: Given, fin = true): Frame => frame(OPCODE_CONTINUATION, payload, { fin })

/** The first frame of a message in fragments. */
export const begin = (payload: Given, isText = true): Frame =>
  frame(isText ? OPCODE_TEXT : OPCODE_BINARY, payload, { fin: false })

/** A Close frame; without a code, it is empty. */
export function close(code?: number, reason: string | Uint8Array = '', change?: Change): Frame {
  const payload = code === undefined ? '' : Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)])
  return frame(OPCODE_CLOSE, payload, change)
}

export const send = (...frames: readonly Frame[]): Step => ({ step: 'send', frames })
export const pieces = (size: number, ...frames: readonly Frame[]): Step => ({ step: 'send', frames, pieces: size })
export const cutAt = (cut: number, ...frames: readonly Frame[]): Step => ({ step: 'send', frames, cut })
export const raw = (bytes: Bytes): Step => ({ step: 'raw', bytes })
export const textBack = (payload: Given): Step => ({ step: 'message', text: true, payload: bytesOf(payload) })
export const binaryBack = (payload: Given): Step => ({ step: 'message', text: false, payload: bytesOf(payload) })
export const binaryBackOrTooBig = (payload: Given): Step => ({
  step: 'message',
  text: false,
  payload: bytesOf(payload),
  orTooBig: true,
})
export const pongs = (payload: Given): Step => ({ step: 'pong', payload: bytesOf(payload) })
export const fails = (...codes: readonly number[]): Step => ({ step: 'fails', codes })
export const closes = (...codes: readonly number[]): Step => ({ step: 'closes', codes })

/** The peer is still there: it sends a short text back. */
export const alive: readonly Step[] = [send(text('still there')), textBack('still there')]

export const request = (change: HeadChange, behind: readonly Frame[] = []): Step => ({
  step: 'request',
  change,
  behind,
})
export const respond = (change: HeadChange, behind: readonly Frame[] = []): Step => ({
  step: 'respond',
  change,
  behind,
})
export const refused = (statuses: readonly number[], headers: Readonly<Record<string, string>> = {}): Step => ({
  step: 'refused',
  statuses,
  headers,
})

/** Text of so many bytes of ASCII. */
export function letters(length: number): Bytes {
  const make = (): Buffer => Buffer.alloc(length, 'The mill turns as long as the water runs. ')
  return length > 4096 ? make : make()
}

/** So many bytes, of every value. */
export function octets(length: number): Bytes {
  const make = (): Buffer => {
    const bytes = Buffer.alloc(length)
    for (let at = 0; at < length; at++) bytes[at] = (at * 167 + (at >> 8) * 59) & 255
    return bytes
  }
  return length > 4096 ? make : make()
}

/** What a group of cases has in common. */
export interface Group {
  readonly section: string
  readonly rule: string
  readonly level?: Level
  readonly side?: Side | 'both'
  readonly deflate?: DeflateWish
  readonly bare?: true
}

/** A case of a group: its title and its steps, and where it differs from the group. */
export type Row = readonly [title: string, steps: readonly Step[], change?: Partial<Draft>]

export function group(common: Group, rows: readonly Row[]): readonly Draft[] {
  return rows.map(([title, steps, change]) => ({ level: 'must', side: 'both', ...common, title, steps, ...change }))
}
