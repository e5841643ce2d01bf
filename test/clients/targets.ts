// The echo server in the ways in which bytes reach it, so that one suite runs over each.
import type { ClientOptions } from 'ws'
import type { ListenOptions } from '../../src/index.js'
import { CliProcess } from '../command/cliProcess.js'
import { cert, key } from '../support/certificate.js'
import { createEchoServer } from '../support/echoServer.js'
import { freePath } from '../support/places.js'

export interface Target {
  readonly url: string
  close(): Promise<unknown>
}

export interface TargetKind {
  readonly name: string
  /** What a client must ask for to get there. */
  readonly options: ClientOptions
  /** Whether browsers can get there. */
  readonly browsers: boolean
  open(): Promise<Target>
}

/** An echo server in this process. */
export async function openHere(where: ListenOptions = {}): Promise<Target> {
  const server = await createEchoServer().listen({ host: '127.0.0.1', ...where })
  const scheme = where.tls === undefined ? 'ws' : 'wss'
  const url = where.path === undefined ? `${scheme}://127.0.0.1:${server.address?.port}` : `ws+unix:${where.path}:`
  return { url, close: () => server.close() }
}

const unix: TargetKind = {
  name: 'over a Unix socket',
  options: {},
  browsers: false,
  open: () => openHere({ path: freePath() }),
}

export const targetKinds: readonly TargetKind[] = [
  { name: 'accepted at the handle', options: {}, browsers: true, open: () => openHere() },
  // A header that the plain lane does not take, and no browser sends.
  { name: 'through node:http', options: { headers: { TE: 'trailers' } }, browsers: false, open: () => openHere() },
  {
    name: 'over the public API only',
    options: {},
    browsers: true,
    open: () => CliProcess.start([], { MILLRACE_PUBLIC_API: '1' }),
  },
  {
    name: 'over TLS',
    options: { rejectUnauthorized: false },
    browsers: true,
    open: () => openHere({ tls: { key, cert } }),
  },
  ...(process.platform === 'win32' ? [] : [unix]),
]
