// A Duplex may tell nothing of its end, or never come to it. Its connection ends all the same, once and with the right code.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createServer, type Server } from '../../src/index.js'
import { Line, upgrade } from '../support/duplexLine.js'
import { close } from '../support/frames.js'
import { eventually } from '../support/socketClient.js'

const options = { timeout: 60_000 }

// Streams in memory keep no process alive, nor do the server's deadlines.
const alive = setInterval(() => undefined, 1000)
after(() => clearInterval(alive))

/** What ends a connection over a stream that is not told of its own end. */
const ENDS: Readonly<Record<string, { code: number; end(line: Line, server: Server): void }>> = {
  'both sides say Close': {
    code: 1000,
    end(line) {
      line.push(close(1000))
      line.push(null)
    },
  },
  'the peer half-closes': { code: 1006, end: (line) => void line.push(null) },
  'it fails': { code: 1006, end: (line) => void line.destroy(new Error('the line is cut')) },
  'the server terminates it': {
    code: 1006,
    end(_, server) {
      for (const connection of server.connections) connection.terminate()
    },
  },
  'its owner destroys it, and something is sent': {
    code: 1006,
    end(line, server) {
      line.destroy()
      for (const connection of server.connections) connection.send('anybody?')
    },
  },
  'its owner destroys it, and nothing is sent but a ping': { code: 1006, end: (line) => void line.destroy() },
}

/** A stream that never gets done with being destroyed. */
class Endless extends Line {
  override _destroy(): void {}
}

describe('a connection over a Duplex ends where the stream does not say so,', options, () => {
  const silent = { 'which emits no close': Line, 'which is never done with being destroyed': Endless }
  for (const [name, { code, end }] of Object.entries(ENDS)) {
    for (const [kind, Stream] of Object.entries(silent)) {
      if (kind !== 'which emits no close' && name === 'it fails') continue // it tells nothing at all
      test(`${kind}: ${name}`, options, async () => {
        const endings: number[] = []
        const handlers = { close: (_: unknown, code: number) => void endings.push(code) }
        const server = createServer({ ...handlers, pingInterval: 100, closeTimeout: 300 })
        const line = new Stream(undefined, false)
        upgrade(server, line)
        await eventually(() => server.connections.size === 1, 'it is open')
        end(line, server)
        await eventually(() => endings.length > 0, 'the end')
        assert.deepEqual([endings, server.connections.size], [[code], 0])
        await new Promise(setImmediate)
        assert.deepEqual(endings, [code])
      })
    }
  }
})
