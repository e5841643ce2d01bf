// The header of the PROXY protocol, version 2 (haproxy.org, "The PROXY protocol", section 2.2): a proxy sends it before
// anything else, and says for whom it connects.
import type { Buffer } from 'node:buffer'

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
const FIXED = 16
/** Addresses take at most 216 bytes; the rest is for what a proxy adds. */
const LONGEST = 4096

/** What a header said, and its length. `address` is undefined where the proxy speaks for itself. */
export interface ProxyHeader {
  readonly length: number
  readonly address: string | undefined
}

/** Reads a header from the first bytes of a connection; `more` where it is not all there, `wrong` where it is none. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'more' | 'wrong' {
  const signed = SIGNATURE.every((byte, at) => at >= bytes.length || bytes[at] === byte)
  if (!signed) return 'wrong'
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
  if (family === TCP6) return length < FIXED + 36 ? 'wrong' : { length, address: ipv6(bytes.subarray(16, 32)) }
  return { length, address: undefined } // unspecified, or a Unix socket: the receiver ignores it
}

const LOCAL = 0x20
const PROXY = 0x21
const TCP4 = 0x11
const TCP6 = 0x21
/** Unix sockets, and datagrams. */
const MOST_FAMILY = 3
const MOST_TRANSPORT = 2
/** `::ffff:0:0/96`: an IPv4 address. */
const MAPPED = '00000000000000000000ffff'

/** The address in the form of RFC 5952: the first of the longest runs of zeros is left out. */
function ipv6(bytes: Buffer): string {
  if (bytes.toString('hex', 0, 12) === MAPPED) return `::ffff:${bytes.subarray(12).join('.')}`
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16))
  const runs = groups.map((_, at) => groups.slice(at).findIndex((group) => group !== '0'))
  const lengths = runs.map((run, at) => (run < 0 ? groups.length - at : run))
  const longest = Math.max(...lengths)
  if (longest < 2) return groups.join(':')
  const at = lengths.indexOf(longest)
  return `${groups.slice(0, at).join(':')}::${groups.slice(at + longest).join(':')}`
}
