// Pipelined requests are served in slices, however many one read holds: nothing of HTTP may change by that, neither their
// order, nor their bodies, nor what comes behind them, nor how the connection ends.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { effort } from '../support/effort.js'
import { inEveryLane, Trial } from '../support/everyLane.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { Random, upgradeRequest } from '../support/httpRequests.js'
import { answerWithTarget, bodiesOf, gets, lastAnswer, MANY, numbers } from '../support/pipelining.js'
import { delay, eventually, type SocketClient } from '../support/socketClient.js'

inEveryLane(`${MANY} pipelined requests are answered in order, each once`, async (trial) => {
  await trial.serve({ request: answerWithTarget })
  const client = await trial.send(gets(MANY))
  await lastAnswer(client, `/${MANY - 1}`)
  assert.deepEqual(bodiesOf(client.text), numbers(MANY))
})

inEveryLane('whoever half-closes behind its requests gets all answers', async (trial) => {
  await trial.serve({
    request: async (request, response) => {
      await undefined
      answerWithTarget(request, response)
    },
  })
  const client = await trial.connect()
  client.write(gets(MANY))
  client.socket.end()
  await client.end()
  assert.deepEqual(bodiesOf(client.text), numbers(MANY))
})

inEveryLane('Connection: close behind many requests ends the connection with its answer', async (trial) => {
  await trial.serve({ request: answerWithTarget })
  const client = await trial.send(gets(MANY, ['Connection: close']))
  await client.end()
  assert.deepEqual(bodiesOf(client.text), numbers(MANY))
})

inEveryLane('what is no request is answered 400 behind many requests, and nothing after it is read', async (trial) => {
  let served = 0
  await trial.serve({
    request: (request, response) => {
      served++
      answerWithTarget(request, response)
    },
  })
  const client = await trial.send(`${gets(500)}nonsense\r\n\r\n${gets(500)}`)
  await client.end()
  assert.equal(served, 500)
  const bodies = bodiesOf(client.text)
  assert.deepEqual(bodies.slice(0, 480), numbers(480))
})

inEveryLane('an upgrade behind many requests gets all that is behind it', async (trial) => {
  const got: string[] = []
  await trial.serve({
    request: answerWithTarget,
    message: (_, message) => void got.push(message.isText ? message.text() : String(message.byteLength)),
  })
  const behind = Buffer.concat([masked(TEXT, '1'), masked(BINARY, Buffer.alloc(100_000, '\n')), masked(TEXT, '3')])
  await trial.send(`${gets(300)}${upgradeRequest()}`, behind)
  await eventually(() => got.length === 3, 'the messages')
  assert.deepEqual(got, ['1', '100000', '3'])
})

inEveryLane('answers that nobody reads stop the requests, until somebody does', async (trial) => {
  let served = 0
  const body = Buffer.alloc(50_000, 'b')
  const count = 400
  await trial.serve({
    request: (_, response) => {
      served++
      response.writeHead(200, { 'Content-Length': body.length }).end(body)
    },
  })
  const client = await trial.connect()
  client.socket.pause()
  await trial.request(client, gets(count))
  await eventually(() => served > 0, 'the first request')
  for (let before = -1; before !== served; await delay(200)) before = served
  assert.ok(served < count, `${served} served`)
  client.socket.resume()
  await eventually(() => served === count, 'all requests')
  const { head } = await client.response()
  await client.until(() => client.received.length >= count * (head.length + body.length), 'all answers')
  assert.equal(bodiesOf(client.text).length, count)
})

inEveryLane('a body that is taken late is whole, and so are the requests behind it', async (trial) => {
  const body = 'line\n'.repeat(100_000)
  let bytes = 0
  await trial.serve({
    async request(request, response) {
      if (request.method === 'POST') {
        await delay(100)
        for await (const chunk of request) bytes += chunk.length
      }
      answerWithTarget(request, response)
    },
  })
  const post = `POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const client = await trial.send(`${post}${gets(200)}`)
  await lastAnswer(client, '/199')
  assert.deepEqual(bodiesOf(client.text), ['/body', ...numbers(200)])
  assert.equal(bytes, body.length)
})

/** A request with a body, or none, and what its answer must say. */
function anyRequest(random: Random, at: number): { readonly text: string; readonly expected: string } {
  const length = random.pick([0, 1, 5, 100, 3000, 40_000])
  const body = Array.from({ length: Math.min(length, 64) }, () =>
    random.pick(['\n', '\r\n', 'x', 'GET / HTTP/1.1']),
  ).join('')
  const whole = body.repeat(Math.ceil(length / 64))
  const expected = `/${at} ${whole.length}`
  const head = `POST /${at} HTTP/1.1\r\nHost: x\r\n`
  if (random.below(2) === 0) return { text: `${head}Content-Length: ${whole.length}\r\n\r\n${whole}`, expected }
  const chunks: string[] = []
  for (let from = 0; from < whole.length; ) {
    const part = whole.slice(from, from + random.pick([1, 7, 500, 20_000]))
    if (chunks.length < 200) chunks.push(`${part.length.toString(16)}\r\n${part}\r\n`)
    else chunks.push(`${(whole.length - from).toString(16)}\r\n${whole.slice(from)}\r\n`)
    from = chunks.length <= 200 ? from + part.length : whole.length
  }
  return { text: `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`, expected }
}

async function writeInParts(client: SocketClient, text: string, random: Random): Promise<void> {
  for (let from = 0; from < text.length; ) {
    const end = from + random.pick([1, 100, 5000, 100_000])
    client.write(text.slice(from, end))
    from = end
    if (random.below(4) === 0) await delay(1)
  }
}

for (let seed = 1; seed <= effort({ quick: 4, full: 100 }); seed++) {
  test(`requests with and without bodies, however they are cut: seed ${seed}`, async () => {
    const random = new Random(seed)
    const trial = new Trial({ publicApi: seed % 2 === 0, pieces: false })
    try {
      await trial.serve({
        async request(request, response) {
          let bytes = 0
          for await (const chunk of request) bytes += chunk.length
          if (random.below(3) === 0) await delay(random.below(3))
          const answer = `${request.url} ${bytes}`
          response.writeHead(200, { 'Content-Length': answer.length }).end(answer)
        },
      })
      const requests = Array.from({ length: 120 }, (_, at) => anyRequest(random, at))
      const client = await trial.connect()
      await writeInParts(client, requests.map(({ text }) => text).join(''), random)
      await client.until(() => bodiesOf(client.text).length === requests.length, 'all answers')
      assert.deepEqual(
        bodiesOf(client.text),
        requests.map(({ expected }) => expected),
      )
    } finally {
      await trial.end()
    }
  })
}
