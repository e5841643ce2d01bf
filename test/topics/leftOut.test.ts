// What the output policy 'drop' leaves out of a topic is counted for each connection and topic, and told when the client has
// caught up: what it was sent and what was left out are together all that was published.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import type { Connection } from '../../src/index.js'
import { transports } from '../support/places.js'
import { serving } from '../support/serving.js'
import { eventually } from '../support/socketClient.js'

const TOPICS = ['a', 'b'] as const

for (const { transport, publicApi } of transports) {
  for (const deflate of [false, true]) {
    test(`by ${transport}${deflate ? ', compressed' : ''}: what was left out is counted by topic, and told at the end`, async (t) => {
      const told: [string, number][] = []
      const calls: string[] = []
      let connection: Connection<unknown> | undefined
      const server = await serving(t, {
        publicApi,
        deflate,
        outputPolicy: 'drop',
        outputLimit: 100_000,
        open: (one) => {
          connection = one
          for (const topic of TOPICS) one.subscribe(topic)
        },
        leftOut: (_, topic, publications) => {
          told.push([topic, publications])
          calls.push('leftOut')
        },
        drain: () => void calls.push('drain'),
      })
      const client = new WebSocket(`ws://127.0.0.1:${server.address?.port ?? 0}`)
      t.after(() => client.terminate())
      const got = { a: 0, b: 0 }
      client.on('message', (data: Buffer) => got[data.subarray(0, 1).toString() === 'a' ? 'a' : 'b']++)
      await once(client, 'open')
      client.pause()
      const published = { a: 0, b: 0 }
      const publish = (topic: 'a' | 'b', length: number): void => {
        server.publish(topic, Buffer.concat([Buffer.from(topic), randomBytes(length)]))
        published[topic]++
      }
      const leftOut = (topic: string): number => connection?.leftOut(topic) ?? 0
      for (let n = 0; n < 5000 && TOPICS.some((topic) => leftOut(topic) < 10); n++) {
        publish('a', 40_000)
        for (let at = 0; at < 3; at++) publish('b', 3000)
        await new Promise((resolve) => setImmediate(resolve))
      }
      assert.ok(
        TOPICS.every((topic) => leftOut(topic) >= 10),
        'it is behind',
      )
      assert.equal(told.length, 0, 'nothing is told before the client has caught up')
      client.resume()
      await eventually(() => TOPICS.every((topic) => got[topic] + leftOut(topic) === published[topic]), 'all')
      await eventually(() => calls.at(-1) === 'drain', 'the end is told')
      const sum = (topic: string): number =>
        told.filter(([name]) => name === topic).reduce((total, [, publications]) => total + publications, 0)
      for (const topic of TOPICS) assert.equal(sum(topic), leftOut(topic))
      assert.equal((await server.metrics()).leftOut, sum('a') + sum('b'))
      connection?.unsubscribe('a')
      assert.equal(leftOut('a'), 0)
    })
  }
}
