// The client's side of the opening handshake (RFC 6455, section 4.1), by node:http: one clear error for each way it fails.
import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { acceptKey, hasToken } from '../protocol/openingHandshake.js'

/** The server did not upgrade the connection, or could not be reached. The message is fit for a person. */
export class DialError extends Error {
  override readonly name = 'DialError'
}

/** A stream past its opening handshake, and what came behind the response. */
export interface Dialled {
  readonly stream: Duplex
  readonly early: Buffer
}

const DEFLATE = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'

/** Connects to a `ws:` or `wss:` address. Rejects with a DialError. */
export function dial(url: URL, deflate: boolean, timeout: number): Promise<Dialled> {
  const key = randomBytes(16).toString('base64')
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
    ...(deflate ? { 'Sec-WebSocket-Extensions': DEFLATE } : {}),
  }
  const secure = url.protocol === 'wss:'
  const address = new URL(url)
  address.protocol = secure ? 'https:' : 'http:'
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(address, { headers, agent: false, timeout })
    request.on('upgrade', (response, stream, early) => {
      const problem = problemOf(response, key, deflate)
      if (problem === undefined) return resolve({ stream, early })
      stream.destroy()
      reject(new DialError(`${url.href} ${problem}`))
    })
    request.on('response', (response) => {
      request.destroy()
      reject(new DialError(`${url.href} refused: ${response.statusCode} ${response.statusMessage}`))
    })
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', (error: NodeJS.ErrnoException) => reject(new DialError(`${url.href} ${explain(error)}`)))
    request.end()
  })
}

/** What is wrong with a 101 response, if anything. */
function problemOf({ headers }: IncomingMessage, key: string, deflate: boolean): string | undefined {
  if (!hasToken(headers.upgrade, 'websocket')) return 'upgraded to something else than websocket'
  if (headers['sec-websocket-accept'] !== acceptKey(key)) return 'answered with a wrong Sec-WebSocket-Accept'
  const extensions = headers['sec-websocket-extensions'] ?? ''
  if (deflate && !extensions.startsWith('permessage-deflate')) return 'did not accept permessage-deflate'
  if (!deflate && extensions !== '') return `answered with an extension that was not asked for: ${extensions}`
  return undefined
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code === 'ECONNREFUSED') return 'cannot be reached: nobody listens there'
  if (error.code === 'ENOTFOUND') return 'cannot be reached: no such host'
  if (error.code === 'ECONNRESET') return 'ended the connection during the opening handshake'
  return `cannot be reached: ${error.message}`
}
