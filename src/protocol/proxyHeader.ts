// The header of the PROXY protocol (haproxy.org, "The PROXY protocol", sections 2.1 and 2.2): a proxy sends it before
// anything else, and says for whom it connects. Version 1 is a line of text, version 2 is binary.
import type { Buffer } from 'node:buffer'
import { ipv6Bytes, ipv6Text, isIpv4 } from './ipAddress.js'

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
const FIXED = 16
/** `PROXY `, and the longest line with its CRLF: "a 108-byte buffer is always enough" for it and a NUL. */
const WORD = [0x50, 0x52, 0x4f, 0x58, 0x59, 0x20]
const LONGEST_LINE = 107
const ADDRESSES = /^PROXY (TCP4|TCP6) ([^ ]+) ([^ ]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})$/
/** Addresses take at most 216 bytes; the rest is for what a proxy adds. */
const LONGEST = 4096

/** What a header said, and its length. `address` is undefined where the proxy speaks for itself. */
export interface ProxyHeader {
  readonly length: number
  readonly address: string | undefined
}

/** Reads a header from the first bytes of a connection; `more` where it is not all there, `wrong` where it is none. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'more' | 'wrong' {
  if (begins(bytes, WORD)) return readLine(bytes)
  return begins(bytes, SIGNATURE) ? readBinary(bytes) : 'wrong'
}

/** Whether the bytes, as far as they go, are those that a header begins with. */
function begins(bytes: Buffer, start: readonly number[]): boolean {
  return start.every((byte, at) => at >= bytes.length || bytes[at] === byte)
}

/** Version 1: `PROXY TCP4 203.0.113.9 192.0.2.1 56324 443` and CRLF. */
function readLine(bytes: Buffer): ProxyHeader | 'more' | 'wrong' {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf('\r\n')
  if (end < 0) return bytes.length < LONGEST_LINE ? 'more' : 'wrong'
  const line = bytes.toString('latin1', 0, end)
  const length = end + 2
  // "The receiver must ignore anything presented before the CRLF": the proxy does not know, or speaks for itself.
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { length, address: undefined }
  const [, family, client = '', proxy = '', ...ports] = ADDRESSES.exec(line) ?? []
  if (ports.length === 0 || ports.some((port) => Number(port) > 65_535)) return 'wrong'
  if (family === 'TCP4') return isIpv4(client) && isIpv4(proxy) ? { length, address: client } : 'wrong'
  const [bytesOfClient, bytesOfProxy] = [ipv6Bytes(client), ipv6Bytes(proxy)]
  if (bytesOfClient === undefined || bytesOfProxy === undefined) return 'wrong'
  return { length, address: ipv6Text(bytesOfClient) }
}

/** Version 2. */
function readBinary(bytes: Buffer): ProxyHeader | 'more' | 'wrong' {
  if (bytes.length < FIXED) return 'more'
  const versionAndCommand = bytes[12]
  const family = bytes[13]
  const length = FIXED + bytes.readUInt16BE(14)
  if ((versionAndCommand !== LOCAL && versionAndCommand !== PROXY) || length > LONGEST) return 'wrong'
  if (bytes.length < length) return 'more'
  if (versionAndCommand === LOCAL) return { length, address: undefined }
  // "Other values are unspecified and must be rejected."
  if (family === undefined || family >> 4 > MOST_FAMILY || (family & 15) > MOST_TRANSPORT) return 'wrong'
  if (family === TCP4) return length < FIXED + 12 ? 'wrong' : { length, address: bytes.subarray(16, 20).join('.') }
  if (family === TCP6) return length < FIXED + 36 ? 'wrong' : { length, address: ipv6Text(bytes.subarray(16, 32)) }
  return { length, address: undefined } // unspecified, or a Unix socket: the receiver ignores it
}

const LOCAL = 0x20
const PROXY = 0x21
const TCP4 = 0x11
const TCP6 = 0x21
/** Unix sockets, and datagrams. */
const MOST_FAMILY = 3
const MOST_TRANSPORT = 2
