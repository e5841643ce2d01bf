// A message that should be JSON and is none is the peer's fault: where the error of `json()` leaves the handler, the
// connection is failed with 1007, and nobody is sent to look for a mistake in the handler. Where it is caught, nothing is.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Handlers } from '../../src/connection/handlers.js'
import type { Message } from '../../src/connection/message.js'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { connections } from '../support/connections.js'
import { CLOSE, closeStatus, masked, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

async function fed(handlers: Handlers<undefined>, text = '{"a":') {
  const errors: unknown[] = []
  const closes: number[] = []
  const { wire, peer } = connections({
    error: (_, error) => void errors.push(error),
    close: (_, code) => void closes.push(code),
    ...handlers,
  }).connect()
  wire.feed(masked(TEXT, text))
  await settle()
  const status = closeStatus(wire.frames().find(({ opcode }) => opcode === CLOSE))
  wire.feedEnd()
  await settle()
  return { errors, closes, status, peer }
}

const LETTING: Readonly<Record<string, Handlers<undefined>>> = {
  'a handler that throws it': { message: (_, message) => void message.json() },
  'a handler whose promise rejects with it': {
    async message(_, message) {
      message.json()
    },
  },
  'a handler that asks after a while': {
    async message(_, message) {
      await new Promise((resolve) => setImmediate(resolve))
      message.json()
    },
  },
  'a handler that has caught it, and throws it on': {
    message(_, message) {
      try {
        message.json()
      } catch (error) {
        assert.ok(error instanceof SyntaxError)
        throw error
      }
    },
  },
  'a loop over the messages': {
    async open(connection) {
      for await (const message of connection.messages()) message.json()
    },
  },
}

describe('1007, and a violation for the error handler', () => {
  for (const [name, handlers] of Object.entries(LETTING)) {
    test(name, async () => {
      const { errors, closes, status } = await fed(handlers)
      assert.deepEqual(status, { code: 1007, reason: 'text is not JSON' })
      assert.deepEqual(closes, [1007])
      assert.equal(errors.length, 1)
      const [error] = errors
      assert.ok(error instanceof ProtocolViolation)
      assert.equal(error.code, 'INVALID_JSON')
    })
  }
})

test('nothing on standard error', async (t) => {
  const said = t.mock.method(console, 'error', () => undefined)
  await fed({ message: (_, message) => void message.json(), error: undefined as never })
  assert.equal(said.mock.callCount(), 0)
})

test('a handler that catches it goes on', async () => {
  const { errors, status, closes } = await fed({
    message(connection, message) {
      assert.throws(() => message.json(), SyntaxError)
      connection.send('try again')
    },
  })
  assert.equal(status, undefined)
  assert.deepEqual(errors, [])
  assert.deepEqual(closes, [1006])
})

test('a SyntaxError of the application’s own stays its own, whatever it says', async () => {
  const { errors, status } = await fed({ message: (_, message) => void JSON.parse(message.text()) })
  assert.equal(status?.code, 1011)
  assert.ok(errors[0] instanceof SyntaxError)
})

test('JSON is parsed as ever', async () => {
  const values: unknown[] = []
  const { status } = await fed({ message: (_, message) => void values.push(message.json()) }, '{"a":[1,"é"]}')
  assert.deepEqual(values, [{ a: [1, 'é'] }])
  assert.equal(status, undefined)
})

/** What becomes of the connection whose handler another one's message leaves as an error, and of that other one. */
async function misled(handlers: Handlers<undefined>) {
  const errors: [who: unknown, error: unknown][] = []
  const { connect } = connections({ error: (who, error) => void errors.push([who, error]), ...handlers })
  const [sender, other] = [connect(), connect()]
  sender.wire.feed(masked(TEXT, '{"a":'))
  await settle()
  other.wire.feed(masked(TEXT, 'go on'))
  await settle()
  const [ofSender, ofOther] = [sender, other].map(({ wire }) =>
    closeStatus(wire.frames().find(({ opcode }) => opcode === CLOSE)),
  )
  assert.deepEqual(
    errors.map(([who]) => who),
    [other.peer],
  )
  for (const { wire } of [sender, other]) wire.feedEnd()
  await settle()
  return { error: errors[0]?.[1], ofSender, ofOther }
}

/** Handlers that keep the first message, and have its error leave the handler of the second, which another has sent. */
const MISLED: Readonly<Record<string, () => Handlers<undefined>>> = {
  'a handler that throws it'() {
    let kept: Message | undefined
    return {
      message(_, message) {
        kept ??= copied(message)
        if (kept !== message) kept.json()
      },
    }
  },
  'a handler whose promise rejects with it'() {
    let parsing: Promise<unknown> | undefined
    return {
      async message(_, message) {
        parsing ??= (async () => message.json())()
        if (message.text() === 'go on') await parsing
        else await parsing.catch(() => undefined)
      },
    }
  },
  'a loop over the messages'() {
    let kept: Message | undefined
    return {
      async open(connection) {
        for await (const message of connection.messages()) {
          kept ??= copied(message)
          if (kept !== message) kept.json()
        }
      },
    }
  },
  'a stream that is sent'() {
    let kept: Message | undefined
    return {
      message(connection, message) {
        kept ??= copied(message)
        if (kept !== message) connection.sendStream(lines(kept)).catch(() => undefined)
      },
    }
  },
}

/** Readable also when its handler is done. */
function copied(message: Message): Message {
  assert.ok(message.bytes.length > 0)
  return message
}

async function* lines(message: Message): AsyncGenerator<string> {
  yield 'a line'
  yield String(message.json())
}

describe('1011, where it is the error of a message that another connection has sent', () => {
  for (const [name, handlers] of Object.entries(MISLED)) {
    test(name, async () => {
      const { error, ofSender, ofOther } = await misled(handlers())
      assert.equal(ofOther?.code, 1011)
      assert.equal(ofSender, undefined)
      assert.ok(error instanceof SyntaxError)
    })
  }
})

test('1007, whichever handler of its connection the error leaves, however late', async () => {
  let kept: Message | undefined
  const { errors, status } = await fed({
    message(connection, message) {
      kept = copied(message)
      setImmediate(() => connection.sendStream(lines(kept ?? message)).catch(() => undefined))
    },
  })
  assert.equal(status?.code, 1007)
  assert.ok(errors[0] instanceof ProtocolViolation)
})
