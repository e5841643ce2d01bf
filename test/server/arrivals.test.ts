// Every connection counts from its first moment on: a flood of TLS handshakes, or of silence where a PROXY header should
// be, must meet the same limit as one of requests.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { ProxyLine } from '../../src/server/admission/proxyLine.js'
import { Http2Lane } from '../../src/server/lanes/http2Lane.js'
import { HttpLane } from '../../src/server/lanes/httpLane.js'
import { type Lanes, Listener, type ListenOptions } from '../../src/server/listener.js'
import { Deadlines } from '../../src/time/deadlines.js'
import { cert, key } from '../support/certificate.js'
import { laneOptions } from '../support/httpLanes.js'

const MOST = 3

function lanes(): Lanes {
  const deadlines = new Deadlines(() => false)
  const options = laneOptions(() => undefined)
  const http = new HttpLane({ ...options, deadlines, mostSockets: MOST })
  return {
    raw: undefined,
    arrivals: options.arrivals,
    http,
    http2: new Http2Lane({ ...options, deadlines }),
    deadlines,
    handshakeTimeout: 10_000,
    proxyLine: new ProxyLine(deadlines, 10_000, () => true),
  }
}

describe('connections beyond the limit are closed at once', () => {
  const listeners: Record<string, ListenOptions> = {
    'plain ones': {},
    'those amid a TLS handshake': { tls: { key, cert } },
    'those without their PROXY header': { proxyProtocol: true },
    'those amid both': { tls: { key, cert }, proxyProtocol: true },
  }
  for (const [name, options] of Object.entries(listeners)) {
    test(name, async () => {
      const all = lanes()
      const where = { host: '127.0.0.1', ...options }
      const listener = new Listener(where, all)
      await listener.listen(where, all)
      const { address } = listener
      const port = typeof address === 'object' ? address.port : 0
      const open: Socket[] = []
      for (let count = 0; count < MOST; count++) {
        const socket = connect({ port, host: '127.0.0.1' })
        await once(socket, 'connect')
        open.push(socket.on('error', () => undefined))
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
      const refused = connect({ port, host: '127.0.0.1' })
        .on('error', () => undefined)
        .resume()
      await once(refused, 'close')
      assert.deepEqual(
        open.map(({ readyState }) => readyState),
        Array.from({ length: MOST }, () => 'open'),
      )
      // One that leaves makes room.
      open[0]?.destroy()
      await new Promise((resolve) => setTimeout(resolve, 50))
      const next = connect({ port, host: '127.0.0.1' })
        .on('error', () => undefined)
        .resume()
      await once(next, 'connect')
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(next.readyState, 'open')
      for (const socket of [...open, next]) socket.destroy()
      listener.close()
      await all.http.close()
    })
  }
})
