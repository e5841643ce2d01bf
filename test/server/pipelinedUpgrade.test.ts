// An upgrade may come behind a request that the application takes its time to answer. Its turn comes after that answer, with
// all that was sent behind it; and whoever leaves meanwhile is noticed, by those who wait for the answer's end, too.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import { inEveryLane } from '../support/everyLane.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, type SocketClient } from '../support/socketClient.js'

const REQUEST = `GET / HTTP/1.1\r\nHost: x\r\n\r\n${upgradeRequest()}`

inEveryLane('what comes behind both arrives behind the answer, in order, however much it is', async (trial) => {
  const answers: ServerResponse[] = []
  let bytes = 0
  const texts: string[] = []
  await trial.serve({
    request: (_, response) => void answers.push(response),
    message(_, message) {
      bytes += message.byteLength
      if (message.isText) texts.push(message.text())
    },
  })
  const client = await trial.send(REQUEST, masked(TEXT, 'first'))
  await eventually(() => answers.length === 1, 'the request')
  for (let count = 0; count < 40; count++) client.write(masked(BINARY, Buffer.alloc(50_000)))
  client.write(masked(TEXT, 'last'))
  await delay(50)
  assert.equal(client.received.length, 0)
  answers[0]?.end('the answer')
  await eventually(() => texts.length === 2, 'the messages')
  assert.deepEqual([texts, bytes], [['first', 'last'], 2_000_009])
  assert.match(client.text, /^HTTP\/1\.1 200 [\s\S]*the answerHTTP\/1\.1 101 /)
})

inEveryLane('whoever half-closes right behind both gets the answer, and then the end', async (trial) => {
  await trial.serve({
    request: async (_, response) => {
      await delay(100)
      response.end('the answer')
    },
    open: () => assert.fail('it has left'),
  })
  const client = await trial.send(REQUEST.slice(0, 2))
  client.socket.end(REQUEST.slice(2))
  await eventually(() => client.over, 'the end')
  assert.match(client.text, /^HTTP\/1\.1 200 [\s\S]*the answer$/)
})

const leaving: Record<string, (client: SocketClient) => void> = {
  ends: (client) => void client.socket.end(),
  resets: (client) => void client.socket.resetAndDestroy(),
  'resets, having sent more than is read': (client) => {
    client.write(Buffer.alloc(1_000_000))
    setTimeout(() => client.socket.resetAndDestroy(), 50)
  },
}

for (const [name, leave] of Object.entries(leaving)) {
  inEveryLane(`whoever ${name} meanwhile is noticed, and its answer ends`, async (trial) => {
    let closed = 0
    let asked = 0
    await trial.serve({
      pauseTimeout: 300,
      request: (_, response) => {
        asked++
        response.on('close', () => closed++)
      },
      open: () => assert.fail('it has left'),
    })
    const client = await trial.send(REQUEST)
    await eventually(() => asked === 1, 'the request')
    leave(client)
    await eventually(() => closed === 1, 'the answer ends')
  })
}
