// The parts of a request target (RFC 9112, section 3.2). Clients write a path and a query; through some proxies the whole
// URL comes, which a server must accept, too.

export interface RequestTarget {
  /** Host and port, where the target says them: then they count, and not the Host header (section 3.2.2). */
  readonly authority: string | undefined
  /** Without the query, not decoded. */
  readonly path: string
  /** The part after the question mark. */
  readonly query: string
}

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i

/** Reads a request target, whatever its form. */
export function readTarget(target: string): RequestTarget {
  const absolute = target.startsWith('/') ? null : ABSOLUTE.exec(target)
  const rest = absolute === null ? target : target.slice(absolute[0].length)
  const end = rest.indexOf('?')
  const path = end < 0 ? rest : rest.slice(0, end)
  return {
    authority: absolute?.[1],
    // A URL without a path means the root.
    path: path === '' && absolute !== null ? '/' : path,
    query: end < 0 ? '' : rest.slice(end + 1),
  }
}
