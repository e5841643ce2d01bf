// A `request` that throws, or whose promise rejects, has failed one request. All others, and all WebSockets, go on.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServerOptions } from '../../src/server/options.js'
import { inEveryLane } from '../support/everyLane.js'
import { masked, TEXT } from '../support/frames.js'
import { requestOf } from '../support/httpRequests.js'
import { serving } from '../support/serving.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

const boom = new Error('boom')

const failures: Record<string, NonNullable<ServerOptions['request']>> = {
  throws: () => {
    throw boom
  },
  rejects: () => Promise.reject(boom),
  'rejects later, with headers and a status that are set': async (_, response) => {
    response.statusCode = 201
    response.statusMessage = 'Fine'
    response.setHeader('Content-Length', 1000)
    response.setHeader('Set-Cookie', 'a=b')
    await delay(10)
    throw boom
  },
}

describe('a request handler that fails before it answers', () => {
  for (const [name, request] of Object.entries(failures)) {
    inEveryLane(`${name}: 500, and the connection goes on`, async (trial) => {
      const told: unknown[] = []
      await trial.serve({
        request,
        requestFailed: (message, error) => void told.push(message.url, error),
        message: (connection, message) => connection.send(message),
      })
      const socket = await trial.send()
      const client = await trial.send(requestOf(['Host: x'], 'GET /a HTTP/1.1'))
      const { status, head, rest } = await client.response()
      assert.equal(status, 500)
      assert.match(head, /^HTTP\/1\.1 500 Internal Server Error\r\n/)
      assert.doesNotMatch(head, /cookie/i)
      assert.equal(rest.toString(), 'the request failed\n')
      assert.deepEqual(told, ['/a', boom])
      await trial.request(client, requestOf(['Host: x'], 'GET /b HTTP/1.1'))
      await client.until(() => client.text.match(/HTTP\/1\.1 500/g)?.length === 2, 'the second answer')
      socket.write(masked(TEXT, 'still here'))
      assert.equal(String((await socket.frames(1))[0]?.payload), 'still here')
    })
  }

  inEveryLane('gives HEAD no body, and a POST its answer', async (trial) => {
    await trial.serve({ request: () => Promise.reject(boom), requestFailed: () => undefined })
    const head = await trial.send(requestOf(['Host: x', 'Connection: close'], 'HEAD / HTTP/1.1'))
    await head.end()
    assert.match(head.text, /^HTTP\/1\.1 500 [\s\S]*\r\n\r\n$/)
    const post = await trial.send(requestOf(['Host: x', 'Content-Length: 3'], 'POST / HTTP/1.1'))
    post.write('abc')
    assert.equal((await post.response()).status, 500)
  })
})

inEveryLane('one that fails amid its answer has it cut off, after what was written', async (trial) => {
  await trial.serve({
    request: async (_, response) => {
      response.write('the beginning')
      throw boom
    },
    requestFailed: () => undefined,
  })
  const client = await trial.send(requestOf(['Host: x']))
  await client.end()
  assert.match(client.text, /^HTTP\/1\.1 200 [\s\S]*the beginning\r\n$/, 'the last chunk is missing, so that it shows')
})

inEveryLane('one that fails after its answer changes nothing', async (trial) => {
  const told: unknown[] = []
  await trial.serve({
    request: async (_, response) => {
      response.end('all')
      await delay(10)
      throw boom
    },
    requestFailed: (_, error) => void told.push(error),
  })
  const client = await trial.send(requestOf(['Host: x']))
  await client.until(() => client.text.endsWith('all'), 'the answer')
  await eventually(() => told.length === 1, 'it is told')
  assert.equal(client.over, false)
})

inEveryLane('a peer that leaves amid its upload is no failure', async (trial) => {
  const told: unknown[] = []
  let begun = 0
  let ended = 0
  await trial.serve({
    request: async (request, response) => {
      begun++
      try {
        for await (const _ of request);
        response.end()
      } finally {
        ended++
      }
    },
    requestFailed: (_, error) => void told.push(error),
  })
  const client = await trial.send(`${requestOf(['Host: x', 'Content-Length: 10'], 'POST / HTTP/1.1')}half`)
  await eventually(() => begun === 1, 'the request')
  await client.destroy()
  await eventually(() => ended === 1, 'its end')
  await delay(10)
  assert.deepEqual(told, [])
})

test('without requestFailed it goes to standard error, and so does what requestFailed itself throws', async (t) => {
  const written: unknown[] = []
  t.mock.method(console, 'error', (error: unknown) => void written.push(error))
  const second = new Error('second')
  const options: ServerOptions[] = [
    { request: () => Promise.reject(boom) },
    {
      request: () => Promise.reject(boom),
      requestFailed: () => {
        throw second
      },
    },
    { request: () => Promise.reject(boom), requestFailed: () => Promise.reject(second) },
  ]
  for (const one of options) {
    const server = await serving(t, one)
    const client = await SocketClient.open(server.address?.port ?? 0)
    client.write(requestOf(['Host: x']))
    assert.equal((await client.response()).status, 500)
    await client.destroy()
    await server.close()
  }
  assert.deepEqual(written, [boom, second, second])
})
