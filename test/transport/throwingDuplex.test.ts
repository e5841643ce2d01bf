// A Duplex of the application's may throw, whatever is asked of it. That ends its own connection; nothing that the server does
// in a turn of its own throws, which would end the process, and the server still closes.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createServer } from '../../src/index.js'
import { Line, upgrade } from '../support/duplexLine.js'
import { close, masked, TEXT } from '../support/frames.js'
import { eventually } from '../support/socketClient.js'

const options = { timeout: 10_000 }

// Streams in memory keep no process alive.
const alive = setInterval(() => undefined, 1000)
after(() => clearInterval(alive))

const METHODS = ['write', 'end', 'destroy', 'pause', 'resume', 'cork', 'uncork'] as const
const MEMBERS = ['destroyed', 'writableEnded', 'writableLength', 'readableEnded', 'remoteAddress'] as const

function fail(): never {
  throw new Error('a stream that fails')
}

/** From now on, each use of the member fails. */
function spoil(line: Line, member: string): void {
  const isMethod = METHODS.some((name) => name === member)
  Object.defineProperty(line, member, isMethod ? { value: fail } : { get: fail, set: fail })
}

/** What the test itself does may fail, too. */
function attempt(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    assert.match(String(error), /a stream that fails/)
  }
}

describe('a Duplex that throws ends its connection, and nobody else is hurt, where what throws is', () => {
  for (const member of [...METHODS, ...MEMBERS]) {
    for (const when of ['before the upgrade', 'while it is open']) {
      test(`${member}, ${when}`, options, async () => {
        const server = createServer({
          closeTimeout: 100,
          open: (connection) => connection.send('welcome'),
          async message(connection, message) {
            if (message.text() !== 'pause') return void connection.send('an answer')
            connection.pause()
            await new Promise(setImmediate)
            connection.resume()
          },
        })
        const other = new Line()
        upgrade(server, other)
        const line = new Line()
        line.on('error', () => undefined)
        if (when === 'before the upgrade') spoil(line, member)
        attempt(() => upgrade(server, line))
        await new Promise(setImmediate)
        if (when !== 'before the upgrade') spoil(line, member)
        for (const text of ['pause', 'more']) attempt(() => line.push(masked(TEXT, text)))
        attempt(() => line.push(close(1000)))
        await new Promise((resolve) => setTimeout(resolve, 20))
        other.push(masked(TEXT, 'honest'))
        await eventually(() => other.frames.length === 2, 'the answer to the other one')
        if (member !== 'destroy') attempt(() => line.push(null)) // or Node.js itself would destroy it
        await server.close()
        assert.equal(server.connections.size, 0)
      })
    }
  }

  for (const member of ['end', 'destroy', 'resume', 'write']) {
    test(`${member}, and the upgrade is refused later`, options, async () => {
      const server = createServer({ closeTimeout: 100, upgrade: async () => ({ status: 401 }) })
      const line = new Line()
      line.on('error', () => undefined)
      upgrade(server, line)
      spoil(line, member)
      await new Promise((resolve) => setTimeout(resolve, 20))
      await server.close()
    })
  }
})
