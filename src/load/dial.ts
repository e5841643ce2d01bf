// How the load client opens connections: as every client here does, with an offer that the server must accept.
import type { Duplex } from 'node:stream'
import { shownAddress } from '../client/address.js'
import { Attempt } from '../client/attempt.js'
import type { Answer } from '../client/call.js'
import { connectError } from '../client/connectError.js'
import { dial as dialServer } from '../client/dial.js'
import type { Reach } from '../client/options.js'
import { acceptedDeflate, type DeflateParameters } from '../protocol/permessageDeflate.js'
import type { Transport } from '../transport/transport.js'

/** A stream whose opening handshake is done, and the bytes that came after the response. */
export interface ClientSocket {
  readonly stream: Duplex
  readonly early: Buffer
  /** The transport of a stream that belongs to an HTTP/2 session. */
  readonly transport?: Transport
  /** What the server has accepted of the offer, where one was made. */
  readonly deflate?: AcceptedDeflate
}

/** permessage-deflate, as the server has answered, and what that means. */
export interface AcceptedDeflate {
  readonly answer: string
  readonly parameters: DeflateParameters
}

/**
 * Connects to a `ws:` or `wss:` address. `offer` is the extension that is offered, if any: permessage-deflate with its
 * parameters, which the server must accept. Rejects with a ConnectError, after `timeout` milliseconds, too, and with the
 * signal's reason after an abort. With `http2` in `reach`, the connection is a stream of a session that all share.
 */
export async function dial(
  url: URL,
  offer: string | undefined,
  timeout: number,
  signal?: AbortSignal,
  reach: Reach = {},
): Promise<ClientSocket> {
  const attempt = new Attempt(shownAddress(url), timeout, signal)
  try {
    const wish = { url, options: reach, extensions: offer, proxy: undefined }
    const dialled = dialServer(wish, attempt, (answer) => accepted(answer, offer))
    return await Promise.race([dialled, attempt.givenUp])
  } finally {
    attempt.finish()
  }
}

/** Throws a ConnectError if the server has not accepted the offer, or something else. */
function accepted({ address, stream, early, response, transport }: Answer, offer: string | undefined): ClientSocket {
  const { 'sec-websocket-extensions': answer = '' } = response.headers
  const parameters = offer === undefined ? undefined : acceptedDeflate(answer, offer)
  const problem = parameters === undefined ? problemOf(answer, offer) : undefined
  if (problem !== undefined) throw connectError('ERR_CONNECT_ANSWER', address, problem, { response })
  return {
    stream,
    early,
    ...(transport && { transport: transport() }),
    ...(parameters && { deflate: { answer, parameters } }),
  }
}

/** What is wrong with extensions that are not what was offered, if anything. */
function problemOf(answer: string, offer: string | undefined): string | undefined {
  if (offer !== undefined)
    return answer === '' ? 'did not accept permessage-deflate' : `answered ${offer} with ${answer}`
  return answer === '' ? undefined : `answered with an extension that was not asked for: ${answer}`
}
