// Where a request came from, as its socket tells it.
import type { Duplex } from 'node:stream'
import type { Source } from '../../protocol/upgradeRequest.js'
import { addressOf } from '../admission/arrivals.js'
import { tlsFactsOf } from './tlsFacts.js'

/** The source of what comes over a socket; `client` is the address that a PROXY header told. */
export function sourceOf(socket: Duplex, client: string | undefined): Source {
  return {
    get remoteAddress() {
      return client ?? addressOf(socket)
    },
    secure: Reflect.get(socket, 'encrypted') === true,
    told: client !== undefined,
    get tls() {
      return tlsFactsOf(socket)
    },
  }
}
