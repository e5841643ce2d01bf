// Primus with the transformer `websockets`, and its own client.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import Primus from 'primus'
import { done, listen, until } from './support.mjs'

const http = createServer()
const primus = new Primus(http, { transformer: 'websockets', pingInterval: 100 })
const events = []
primus.on('connection', (spark) => {
  events.push(`connection ${spark.address.ip}`)
  spark.on('data', (data) => spark.write({ echo: data }))
  spark.on('end', () => events.push('end'))
})
const port = await listen(http)
const { Socket } = primus
const client = new Socket(`http://127.0.0.1:${port}`, { strategy: false })
const told = []
client.on('data', (data) => told.push(data))
client.write({ a: 1 })
client.write('x'.repeat(10_000))
await until(() => told.length === 2, 'both echoes')
assert.equal(JSON.stringify(told[0]), '{"echo":{"a":1}}')
primus.write('to all')
await until(() => told.length === 3, 'what goes to all')
await new Promise((resolve) => setTimeout(resolve, 300))
client.end()
await until(() => events.includes('end'), 'the end')
await new Promise((resolve) => primus.destroy({}, resolve))
done()
