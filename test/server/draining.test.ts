// A deployment closes a server while it is used. What is under way is finished, within bounds: answers to HTTP requests,
// handlers of messages, and whatever else a handler has promised.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { deferred, inEveryLane } from '../support/everyLane.js'
import { BINARY, CLOSE, close, masked, TEXT } from '../support/frames.js'
import { requestOf, upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, type SocketClient } from '../support/socketClient.js'

/** When a promise has settled, in milliseconds from now. */
async function taken(work: Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work
  return performance.now() - begin
}

/** Answers the Close that comes, and ends; resolves with the time until it was there, in milliseconds. */
async function answerClose(client: SocketClient): Promise<number> {
  const begin = performance.now()
  await client.response()
  const said = (): boolean => client.receivedFrames.some(({ opcode }) => opcode === CLOSE)
  await client.until(() => said() || client.over, 'Close')
  client.write(close(1001))
  client.socket.end()
  return performance.now() - begin
}

describe('answers to HTTP requests, at close()', { concurrency: true }, () => {
  inEveryLane('are waited for, and say that the connection ends; idle connections end at once', async (trial) => {
    const answer = deferred()
    let asked = false
    const server = await trial.serve({
      request: async (request, response) => {
        if (request.url === '/slow') {
          asked = true
          await answer.promise
        }
        response.end('whole')
      },
    })
    const idle = await trial.send(requestOf(['Host: x'], 'GET /fast HTTP/1.1'))
    await idle.until(() => idle.text.endsWith('whole'), 'the first answer')
    const slow = await trial.send(requestOf(['Host: x'], 'GET /slow HTTP/1.1'))
    const silent = await trial.connect()
    await eventually(() => asked, 'the request has come')
    await delay(60)
    const closing = server.close()
    await idle.end()
    assert.equal(slow.over, false)
    answer.resolve(undefined)
    await slow.until(() => slow.text.endsWith('whole'), 'the slow answer')
    assert.match(slow.text, /\r\nConnection: close\r\n/)
    await slow.end()
    await silent.end()
    assert.ok((await taken(closing)) < 3000)
  })

  inEveryLane('also to uploads, and those that have begun', async (trial) => {
    const server = await trial.serve({
      request: async (request, response) => {
        response.write('begun ')
        let length = 0
        for await (const chunk of request) length += chunk.length
        response.end(`and got ${length}`)
      },
    })
    const client = await trial.send(`${requestOf(['Host: x', 'Content-Length: 10'], 'POST / HTTP/1.1')}12345`)
    await client.until(() => client.text.includes('begun'), 'the beginning')
    const closing = server.close()
    await delay(100)
    client.write('67890')
    await client.end(3000)
    assert.match(client.text, /and got 10/)
    await closing
  })

  inEveryLane('for closeTimeout at most', async (trial) => {
    const server = await trial.serve({
      closeTimeout: 400,
      request: (_, response) => void response.write('event: endless\n\n'),
    })
    const client = await trial.send(requestOf(['Host: x']))
    await client.until(() => client.text.includes('endless'), 'the beginning')
    const time = await taken(server.close())
    assert.ok(time > 350 && time < 3000, `after ${time} ms`)
    await client.end(3000)
  })
})

describe('handlers, at close()', { concurrency: true }, () => {
  inEveryLane('an answer to a message is sent before Close', async (trial) => {
    const answer = deferred()
    const server = await trial.serve({
      message: async (connection) => {
        await answer.promise
        connection.send('the answer')
      },
    })
    const asking = await trial.send(upgradeRequest(), masked(TEXT, 'question'))
    const idle = await trial.send()
    await Promise.all([asking.response(), idle.response()])
    await delay(60)
    const closing = server.close(1012, 'restart')
    await answerClose(idle)
    await delay(50)
    answer.resolve(undefined)
    await answerClose(asking)
    const [first, second] = await asking.frames(2)
    assert.deepEqual([String(first?.payload), second?.opcode], ['the answer', CLOSE])
    assert.equal(second?.payload.subarray(2).toString(), 'restart')
    assert.ok((await taken(closing)) < 3000)
  })

  inEveryLane('what other handlers have promised is waited for', async (trial) => {
    const done: string[] = []
    const slow = async (what: string): Promise<void> => {
      await delay(250)
      done.push(what)
    }
    const server = await trial.serve({
      streamThreshold: 10,
      open: () => slow('open'),
      stream: () => slow('stream'),
      close: () => slow('close'),
    })
    const client = await trial.send(upgradeRequest(), masked(BINARY, Buffer.alloc(100)))
    await client.response()
    await eventually(() => server.connections.size === 1, 'it is open')
    const closing = server.close()
    await answerClose(client)
    await closing
    assert.deepEqual(done.toSorted(), ['close', 'open', 'stream'])
  })

  inEveryLane('those that never settle, for closeTimeout at most', async (trial) => {
    const server = await trial.serve({
      closeTimeout: 600,
      open: () => new Promise(() => undefined),
      message: () => new Promise(() => undefined),
    })
    const client = await trial.send(upgradeRequest(), masked(TEXT, 'question'))
    await client.response()
    await delay(60)
    const closing = server.close()
    const said = await answerClose(client)
    const time = said + (await taken(closing))
    assert.ok(said > 250, `Close came after ${said} ms`)
    assert.ok(time > 500 && time < 3000, `closed after ${time} ms`)
  })
})

describe('close({ drainAfter, drainOver })', { concurrency: true }, () => {
  inEveryLane('accepts nobody, serves for drainAfter, and spreads the Closes over drainOver', async (trial) => {
    const server = await trial.serve({ message: (connection, message) => connection.send(message) })
    const clients = await Promise.all(Array.from({ length: 8 }, () => trial.send()))
    await Promise.all(clients.map((client) => client.response()))
    const closing = server.close({ code: 1012, reason: 'restart', drainAfter: 300, drainOver: 600 })
    await assert.rejects(trial.connect(), { code: 'ECONNREFUSED' })
    await assert.rejects(server.listen(), /closed/)
    clients[0]?.write(masked(TEXT, 'still served'))
    assert.equal(String((await clients[0]?.frames(1))?.[0]?.payload), 'still served')
    const times = await Promise.all(clients.map(answerClose))
    await closing
    assert.ok(Math.min(...times) > 150, `the first Close after ${Math.min(...times)} ms`)
    assert.ok(Math.max(...times) - Math.min(...times) > 300, `Closes at ${times}`)
    assert.equal(server.connections.size, 0)
    const last = clients[7]?.text ?? ''
    assert.ok(last.endsWith('restart'), last)
  })

  inEveryLane('ends early when nobody is left, and at once when close() is called again', async (trial) => {
    const alone = await trial.serve({})
    const client = await trial.send()
    await client.response()
    const leaving = alone.close({ drainOver: 60_000 })
    await answerClose(client)
    assert.ok((await taken(leaving)) < 3000)
    const hurried = await trial.serve({})
    const other = await trial.send()
    await other.response()
    const patient = hurried.close({ drainAfter: 60_000 })
    await delay(30)
    const second = hurried.close(4000)
    await answerClose(other)
    assert.ok((await taken(Promise.all([patient, second]))) < 3000)
    assert.equal((await other.frames(1))[0]?.payload.readUInt16BE(0), 4000)
  })

  inEveryLane('rejects what makes no sense, and closes nothing', async (trial) => {
    const server = await trial.serve({})
    for (const wrong of [{ drainAfter: -1 }, { drainOver: 1.5 }, { drainAfter: Infinity }, { code: 1006 }]) {
      await assert.rejects(server.close(wrong), RangeError)
    }
    await assert.rejects(server.close({ reason: 'x'.repeat(124) }), RangeError)
    assert.equal((await (await trial.send()).response()).status, 101)
  })
})
