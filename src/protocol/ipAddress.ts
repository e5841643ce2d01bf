// IP addresses, read from text and written in the one form that RFC 5952 recommends.

const BYTE = /^(?:0|[1-9][0-9]{0,2})$/
const GROUP = /^[0-9a-f]{1,4}$/i

/** Whether a text is an IPv4 address: four numbers up to 255, without zeros before them. */
export function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => BYTE.test(part) && Number(part) <= 255)
}

/** The 16 bytes of an IPv6 address, which may end in an IPv4 one (RFC 4291, section 2.2); undefined for what is none. */
export function ipv6Bytes(text: string): Uint8Array | undefined {
  const [before = '', after, ...more] = withoutIpv4(text).split('::')
  if (more.length > 0) return undefined
  const [head, tail] = [groupsOf(before), groupsOf(after ?? '')]
  const missing = 8 - head.length - tail.length
  // The double colon stands for one group at least.
  if (after === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail]
  if (!groups.every((group) => GROUP.test(group))) return undefined
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]))
}

/** The address in the form of RFC 5952: the first of the longest runs of zeros is left out. */
export function ipv6Text(bytes: Uint8Array): string {
  if (MAPPED.every((byte, at) => bytes[at] === byte)) return `::ffff:${bytes.subarray(12).join('.')}`
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  )
  const runs = groups.map((_, at) => groups.slice(at).findIndex((group) => group !== '0'))
  const lengths = runs.map((run, at) => (run < 0 ? groups.length - at : run))
  const longest = Math.max(...lengths)
  if (longest < 2) return groups.join(':')
  const at = lengths.indexOf(longest)
  return `${groups.slice(0, at).join(':')}::${groups.slice(at + longest).join(':')}`
}

/**
 * Who is behind an address, as far as it tells: an IPv4 address stands for itself, however it is written. Of an IPv6
 * address, the first 64 bits count: one subscriber has at least as many addresses as the others tell apart (RFC 6177).
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const bytes = ipv6Bytes(address.replace(/%.*$/, ''))
  if (bytes === undefined) return address
  if (TRANSLATED.some((prefix) => prefix.every((byte, at) => bytes[at] === byte))) return bytes.subarray(12).join('.')
  return LOCAL.test(address) ? address : `${ipv6Text(bytes.fill(0, 8))}/64`
}

/** `::ffff:0:0/96`: an IPv4 address. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** The prefixes that an IPv4 address follows: mapped ones, and `64:ff9b::/96` of translators (RFC 6052). */
const TRANSLATED = [MAPPED, [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]]

/** `fe80::/10`: each link is one network, and its addresses are machines. */
const LOCAL = /^fe[89ab]/i

/** The same address with its last 32 bits as two groups, if they are written as an IPv4 address. */
function withoutIpv4(text: string): string {
  const at = text.lastIndexOf(':') + 1
  const last = text.slice(at)
  if (at === 0 || !isIpv4(last)) return text
  const [a = 0, b = 0, c = 0, d = 0] = last.split('.').map(Number)
  return `${text.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':')
}
