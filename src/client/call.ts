// One request for a connection, over whichever version of HTTP: what it is about, and what it leads to.
import type { ClientRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Transport } from '../transport/transport.js'
import type { Attempt } from './attempt.js'
import type { Reach } from './options.js'
import type { UpgradeResponse } from './upgradeResponse.js'

/** A server that has agreed to speak the protocol. */
export interface Answer {
  /** The server's address, for errors. */
  readonly address: string
  readonly stream: Duplex
  /** What came with the response, behind its head. */
  readonly early: Buffer
  readonly request: Pick<ClientRequest, 'path' | 'protocol' | 'getHeaders'>
  readonly response: UpgradeResponse
  /** Makes the transport for a stream that is no socket's; it may be told to use the public API of Node.js only. */
  readonly transport?: (publicApi?: boolean) => Transport
}

/** What is asked of a server. */
export interface Wish {
  readonly url: URL
  readonly options: Reach
  /** The value of Sec-WebSocket-Extensions. */
  readonly extensions: string | undefined
  /** The proxy that it goes through. */
  readonly proxy: URL | undefined
}

/** What a call leads to. */
export interface Ends<Opened> {
  readonly attempt: Attempt
  opened(answer: Answer): Opened
  follow(url: URL, redirects: number): void
  resolve(opened: Opened): void
  reject(error: unknown): void
}
