// Whether a page comes from the host that was asked (RFC 6454, section 4): the Origin header against the Host header.

const ORIGIN = /^(https?):\/\/([^\s/?#@\\]+)$/i
const AUTHORITY = /^[^\s/?#@\\]+$/

/**
 * Whether `origin` names the host and port of `authority`, as a Host header says them. The port may stand there or not
 * where it is the scheme's own, names are the same in any case and with a dot at their end, and an IPv6 address is the
 * same however it is written.
 */
export function isFromHost(origin: string, authority: string): boolean {
  const [, scheme, asked] = ORIGIN.exec(origin) ?? []
  if (scheme === undefined || asked === undefined) return false
  if (asked === authority) return true
  const place = placeOf(scheme, asked)
  return place !== undefined && place === placeOf(scheme, authority)
}

/** Host and port in the one way to write them, by the URL standard; undefined for what is none. */
function placeOf(scheme: string, authority: string): string | undefined {
  if (!AUTHORITY.test(authority)) return undefined
  try {
    const { hostname, port } = new URL(`${scheme}://${authority}`)
    return `${hostname.replace(/\.$/, '')}:${port}`
  } catch {
    return undefined
  }
}
