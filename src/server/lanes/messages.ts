// The class of the requests that the node:http server of the second lane makes. It says which of them are upgrades.
import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { hasToken } from '../../protocol/openingHandshake.js'

/** What node:http calls an upgrade. */
const UPGRADE = Symbol('upgrade')

/**
 * Requests of which only those to websocket are upgrades. A server may ignore an Upgrade header (RFC 9110, section 7.8),
 * and does so where the header offers something else: `curl --http2` and Java's client offer h2c with any request.
 * node:http asks for `upgrade` before it decides; its own way to say this, `shouldUpgradeCallback`, came with Node 22.21.
 * `headRead` is called for each request head.
 */
export function messagesOf(headRead: (socket: Socket) => void): typeof IncomingMessage {
  return class extends IncomingMessage {
    declare [UPGRADE]: boolean | null

    constructor(socket: Socket) {
      super(socket)
      headRead(socket)
    }

    get upgrade(): boolean | null {
      const offered = this[UPGRADE] && this.method !== 'CONNECT'
      return offered === true ? hasToken(this.headers['upgrade'], 'websocket') : this[UPGRADE]
    }

    set upgrade(offered: boolean | null) {
      this[UPGRADE] = offered
    }
  }
}
