// Frames and heads as they travel, wrong ones included: the codec refuses to write those.
import { Buffer } from 'node:buffer'
import { FIN, LONGEST_7_BIT, LONGEST_16_BIT, MASKED } from '../codec/frames.js'
import type { Bytes, Frame, HeadChange, HeaderChange, LengthForm } from './case.js'

/** The key of frames that don't say another. It changes nothing but the bytes that travel (RFC 6455, section 5.3). */
const KEY = Buffer.of(0x5a, 0x17, 0xc3, 0x8e)

export function bytesIn(bytes: Bytes | undefined): Buffer {
  const given = typeof bytes === 'function' ? bytes() : bytes
  if (given === undefined) return Buffer.alloc(0)
  return Buffer.from(given.buffer, given.byteOffset, given.byteLength)
}

/** A frame; `masks` says whether frames of our side are masked (section 5.1). */
export function encodeFrame(frame: Frame, masks: boolean): Buffer {
  const payload = bytesIn(frame.payload)
  const masked = masks !== (frame.wrongMask ?? false)
  const first = (frame.fin === false ? 0 : FIN) | ((frame.reserved ?? 0) << 4) | frame.opcode
  const header = headerOf(first, masked ? MASKED : 0, frame.announced ?? BigInt(payload.length), frame.form)
  if (!masked) return Buffer.concat([header, payload])
  const key = Buffer.from(frame.key ?? KEY)
  return Buffer.concat([header, key, applyMask(payload, key)])
}

export function encodeFrames(frames: readonly Frame[], masks: boolean): Buffer {
  return Buffer.concat(frames.map((frame) => encodeFrame(frame, masks)))
}

function headerOf(first: number, mask: number, length: bigint, form = shortestForm(length)): Buffer {
  if (form === 7) return Buffer.of(first, mask | Number(length))
  const header = Buffer.alloc(form === 16 ? 4 : 10)
  header[0] = first
  header[1] = mask | (form === 16 ? LONGEST_7_BIT + 1 : LONGEST_7_BIT + 2)
  if (form === 16) header.writeUInt16BE(Number(length), 2)
  else header.writeBigUInt64BE(length, 2)
  return header
}

function shortestForm(length: bigint): LengthForm {
  if (length <= LONGEST_7_BIT) return 7
  return length <= LONGEST_16_BIT ? 16 : 64
}

/** Masks and unmasks (section 5.3). */
export function applyMask(payload: Uint8Array, key: Uint8Array): Buffer {
  const masked = Buffer.from(payload)
  for (let at = 0; at < masked.length; at++) masked[at] = (masked[at] ?? 0) ^ (key[at & 3] ?? 0)
  return masked
}

/** A head as it travels: its first line, and headers of which some are changed. */
export function encodeHead(line: string, headers: HeaderChange, change: HeadChange = {}): string {
  const changed = new Map(Object.entries(change.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  const names = new Set([...Object.keys(headers), ...Object.keys(change.headers ?? {})].map(asWritten(change)))
  let head = `${change.line ?? line}\r\n`
  for (const name of names) {
    const lower = name.toLowerCase()
    const value = changed.has(lower) ? changed.get(lower) : valueIn(headers, lower)
    for (const one of typeof value === 'object' ? value : value === undefined ? [] : [value])
      head += `${name}${change.colon ?? ': '}${one}\r\n`
  }
  return `${head}\r\n`
}

/** A changed header has its name as the change writes it. */
function asWritten({ headers = {} }: HeadChange): (name: string) => string {
  return (name) => Object.keys(headers).find((other) => other.toLowerCase() === name.toLowerCase()) ?? name
}

function valueIn(headers: HeaderChange, lower: string): string | readonly string[] | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === lower)?.[1]
}

/** A response's head, or a request's, once it has come. Of a repeated header, the values are joined by commas. */
export interface Head {
  readonly line: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

export function decodeHead(text: string): Head {
  const [line = '', ...lines] = text.split('\r\n')
  const headers: Record<string, string> = Object.create(null)
  for (const one of lines) {
    const colon = one.indexOf(':')
    if (colon <= 0) continue
    const name = one.slice(0, colon).trim().toLowerCase()
    const value = one.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { line, headers }
}
