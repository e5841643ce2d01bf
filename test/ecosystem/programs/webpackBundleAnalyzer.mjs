// webpack-bundle-analyzer: its server tells the page of new builds.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { done, open } from './support.mjs'

const { start } = createRequire(import.meta.url)('webpack-bundle-analyzer')
const stats = (name) => ({
  assets: [{ name: 'main.js', size: 5, chunks: [0], info: {} }],
  modules: [{ id: 1, name, size: 5, chunks: [0] }],
  chunks: [{ id: 0 }],
})
const {
  ws: wss,
  http,
  updateChartData,
} = await start(stats('./a.js'), {
  port: 0,
  host: '127.0.0.1',
  openBrowser: false,
  analyzerUrl: () => 'here',
  logger: { info() {}, warn() {}, debug() {}, error: console.error },
})
const { port } = http.address()
const { messages, next } = await open(`ws://127.0.0.1:${port}`)
updateChartData(stats('./another.js'))
await next()
assert.equal(JSON.parse(messages[0]).event, 'chartDataUpdated')
assert.equal(wss.clients.size, 1)
done()
