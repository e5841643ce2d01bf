// A peer may ask for more before it has its answers. While many are missing, none of its further requests is served: what
// requests cost counts, and a peer that has gone meanwhile is noticed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Budget } from '../../src/memory/budget.js'
import { Answers } from '../../src/server/lanes/answers.js'
import { inEveryLane } from '../support/everyLane.js'
import { gets, lastAnswer } from '../support/pipelining.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

/** Requests that are sent at once, and how many of them may be served without an answer. */
const SENT = 500
const MOST = 100

inEveryLane('no further request is served while many answers are missing, and all are in the end', async (trial) => {
  const missing: ServerResponse[] = []
  let served = 0
  let late = false
  await trial.serve({
    request({ url }, response) {
      served++
      if (late) response.end(url)
      else missing.push(response)
    },
  })
  const client = await trial.send(gets(SENT))
  await eventually(() => served >= 64, 'the first ones')
  await delay(100)
  assert.ok(served <= MOST, `${served} are served`)
  late = true
  for (const response of missing) response.end(response.req.url)
  await lastAnswer(client, `/${SENT - 1}`)
  assert.equal(served, SENT)
})

inEveryLane('a peer that leaves while many answers are missing is noticed within `pauseTimeout`', async (trial) => {
  let served = 0
  let ended = false
  await trial.serve({
    pauseTimeout: 200,
    request({ socket }) {
      if (served++ > 0) return
      socket.once('close', () => {
        ended = true
      })
    },
  })
  const client = await trial.send(gets(SENT))
  await eventually(() => served >= 64, 'the first ones')
  await client.destroy()
  await eventually(() => ended, 'its connection has ended')
})

inEveryLane('the body of the last request is read, however many answers are missing', async (trial) => {
  const bodies: string[] = []
  await trial.serve({
    async request(request, response) {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      bodies.push(body)
      await delay(100)
      response.end('done')
    },
  })
  const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n'
  await trial.send((post + 'b'.repeat(5000)).repeat(70))
  await eventually(() => bodies.length === 70, 'all of them')
  assert.ok(bodies.every(({ length }) => length === 5000))
})

test('what the requests of a connection cost counts until they are answered', async () => {
  const budget = new Budget(1)
  const found: [IncomingMessage, ServerResponse][] = []
  const http = createHttpServer((request, response) => void found.push([request, response])).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const client = await SocketClient.open((http.address() as AddressInfo).port)
  try {
    client.write(gets(4))
    await eventually(() => found.length === 4, 'four requests')
    const [first, second, third, fourth] = found.map(([, response]) => response)
    assert.ok(first !== undefined && second !== undefined && third !== undefined && fourth !== undefined)
    const { socket } = first.req
    const answers = new Answers(socket, budget)
    answers.add(first, 1)
    assert.equal(budget.used, 0, 'the first one is a part of its connection')
    answers.add(second, 1)
    answers.add(third, 1)
    const each = budget.used / 2
    assert.ok(each > 1000 && answers.held === 2 * each)
    assert.deepEqual([answers.size, answers.last], [3, third])
    answers.delete(second, 2)
    answers.delete(first, 2)
    assert.deepEqual([budget.used, answers.size, answers.last], [each, 1, third])
    answers.delete(first, 2)
    assert.equal(answers.size, 1)
    budget.charge(budget.limit)
    answers.add(fourth, 3)
    assert.ok(socket.destroyed, 'there was no room for it')
    answers.leave()
    assert.deepEqual([answers.size, answers.held, budget.used], [0, 0, budget.limit])
  } finally {
    await client.destroy()
    http.close()
  }
})
