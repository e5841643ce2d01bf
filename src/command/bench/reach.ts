// How a load reaches its servers, as a person types it: headers, cookies, subprotocols, TLS, a Unix socket.
import { readFileSync } from 'node:fs'
import type { Reach } from '../../client/options.js'
import { checkRequest } from '../../client/requestHeaders.js'
import { type ParsedOptions, type Row, read, UsageError } from '../options.js'

/** Options of which each may be given several times. */
export const REPEATED = ['header', 'cookie'] as const
export const reachValued: readonly string[] = [...REPEATED, 'subprotocol', 'origin', 'tls-ca', 'unix']
export const reachFlags: readonly string[] = ['insecure', 'h2']

export const reachRows: readonly Row[] = [
  ['header', '', "'Name: value', as often as you like"],
  ['cookie', '', 'name=value, as often as you like'],
  ['subprotocol', '', 'to offer; several with commas between them'],
  ['origin', '', 'the Origin header'],
  ['tls-ca', '', 'a file with the authorities to trust (PEM)'],
  ['insecure', '', 'accept any certificate'],
  ['unix', '', 'the path of a Unix socket to connect to'],
  ['h2', '', 'over HTTP/2: the connections share sessions'],
]

/** What the options say of reaching a server. Throws a UsageError for what no request can have. */
export function reachIn(given: ParsedOptions, repeated: ReadonlyMap<string, readonly string[]>): Reach | undefined {
  const headers = pairsIn(repeated.get('header') ?? [], ':', '--header', "'Name: value'")
  const cookies = pairsIn(repeated.get('cookie') ?? [], '=', '--cookie', 'name=value')
  const [subprotocol, origin, unix] = [given.get('subprotocol'), given.get('origin'), given.get('unix')]
  const protocols = subprotocol?.split(',').map((name) => name.trim())
  const ca = read(given, 'tls-ca', (file) => readFileSync(file))
  const tls = { ...(ca && { ca }), ...(given.has('insecure') && { rejectUnauthorized: false }) }
  const reach: Reach = {
    ...(headers && { headers: grouped(headers) }),
    ...(cookies && { cookies: Object.fromEntries(cookies) }),
    ...(protocols && { protocols }),
    ...(origin !== undefined && { origin }),
    ...(unix !== undefined && { unix }),
    ...(Object.keys(tls).length > 0 && { tls }),
  }
  try {
    checkRequest(reach)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  return Object.keys(reach).length === 0 ? undefined : reach
}

type Pair = readonly [name: string, value: string]

function pairsIn(texts: readonly string[], mark: string, flag: string, shape: string): Pair[] | undefined {
  if (texts.length === 0) return undefined
  return texts.map((text) => {
    const at = text.indexOf(mark)
    if (at < 1) throw new UsageError(`${flag}: ${JSON.stringify(text)} is not ${shape}`)
    return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  })
}

/** A header that is given twice is sent twice. */
function grouped(pairs: readonly Pair[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {}
  for (const [name, value] of pairs) headers[name] = [...(headers[name] ?? []), value]
  return headers
}
