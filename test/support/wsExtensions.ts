// What `ws` reads in a Sec-WebSocket-Extensions header, and what it makes of an offer of permessage-deflate or of the
// answer to one. Its types leave both out.
import * as ws from 'ws'

/** Values of each parameter, in each element of a header that names the extension; `true` is one without a value. */
export type Configuration = Readonly<Record<string, readonly (string | true)[]>>

/** The parameters that `ws` takes to be agreed. */
export type Accepted = Readonly<Record<string, true | number>>

interface Options {
  readonly isServer?: boolean
  readonly serverNoContextTakeover?: boolean
  readonly clientNoContextTakeover?: boolean
  readonly serverMaxWindowBits?: number
  readonly clientMaxWindowBits?: number | boolean
}

interface PerMessageDeflate {
  offer(): Readonly<Record<string, true | number>>
  accept(configurations: readonly Configuration[]): Accepted
}

const {
  parse,
  format,
}: {
  parse(header: string): Readonly<Record<string, readonly Configuration[]>>
  format(extensions: Readonly<Record<string, unknown>>): string
} = Reflect.get(ws, 'extension')
const Deflate: new (options: Options) => PerMessageDeflate = Reflect.get(ws, 'PerMessageDeflate')
const NAME = 'permessage-deflate'

/** The extensions of a header by name; undefined where `ws` refuses the header as a whole. */
export function readByWs(header: string): Readonly<Record<string, readonly Configuration[]>> | undefined {
  try {
    return parse(header)
  } catch {
    return undefined
  }
}

/** What a client of `ws` offers. */
export function offeredByWs(options: Options): string {
  return format({ [NAME]: new Deflate(options).offer() })
}

/** What `ws` takes to be agreed by a header that it was sent, on either side; undefined where it accepts nothing. */
export function acceptedByWs(header: string, options: Options): Accepted | undefined {
  const offers = readByWs(header)?.[NAME]
  if (offers === undefined) return undefined
  try {
    return new Deflate(options).accept(offers)
  } catch {
    return undefined
  }
}

/** The value of the header with which a server of `ws` answers what it has accepted. */
export function writtenByWs(accepted: Accepted): string {
  return format({ [NAME]: [accepted] })
}
