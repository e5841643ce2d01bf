// When descriptors run out, `accept` fails, and goes on failing: the connection that could not be accepted still waits. A
// server that tries again at once does nothing else any more, and one that warns each time drowns its log.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { LimitedServer } from '../support/limitedServer.js'
import { delay, SocketClient } from '../support/socketClient.js'

/** Enough for the modules that are loaded at once, and few enough to run out soon. */
const DESCRIPTORS = 96
const CLIENTS = 150
/** How long the shortage lasts, in milliseconds. */
const SHORTAGE = 2000

async function echoes(port: number): Promise<boolean> {
  const client = await SocketClient.open(port)
  try {
    client.write(upgradeRequest())
    client.write(masked(TEXT, 'alive'))
    await client.until(() => client.text.includes('alive') || client.over, 'an echo', 1000)
    return client.text.includes('alive')
  } finally {
    await client.destroy()
  }
}

describe('without descriptors left', { skip: process.platform === 'win32' ? 'no ulimit' : false }, () => {
  for (const publicApi of [false, true]) {
    test(`the server lives, rests, and recovers (${publicApi ? 'public API' : 'handles'})`, async (t) => {
      const server = await LimitedServer.start(DESCRIPTORS, { publicApi, closeTimeout: 500 })
      t.after(() => server.kill())
      assert.equal(await echoes(server.port), true)
      const clients: SocketClient[] = []
      for (let count = 0; count < CLIENTS; count++) {
        const client = await SocketClient.open(server.port).catch(() => undefined)
        client?.write(upgradeRequest())
        if (client !== undefined) clients.push(client)
      }
      await delay(300)
      const before = await server.usage()
      await delay(SHORTAGE)
      const after = await server.usage()
      const busy = (after.cpu - before.cpu) / SHORTAGE
      assert.ok(busy < 0.3, `busy for ${Math.round(busy * 100)} % of the time, with nothing to do`)
      assert.ok(after.warnings.length <= 6, `${after.warnings.length} warnings: ${after.warnings}`)
      for (const warning of after.warnings) assert.match(warning, /MillraceWarning: a connection could not be accepted/)
      const served = clients.filter((client) => client.text.startsWith('HTTP/1.1 101 ') && !client.over)
      assert.ok(served.length > 10 && served.length < DESCRIPTORS, `${served.length} are served`)
      for (const client of served) client.write(masked(TEXT, 'still'))
      for (const client of served) await client.frames(1)
      await Promise.all(clients.map((client) => client.destroy()))
      let alive = false
      for (let tries = 0; tries < 100 && !alive; tries++) {
        alive = await echoes(server.port).catch(() => false)
        if (!alive) await delay(50)
      }
      assert.equal(alive, true, 'it accepts again')
      assert.equal(server.alive, true)
      assert.equal(await server.close(), 0)
    })
  }
})

describe('where those who say nothing have taken all descriptors', { skip: process.platform !== 'linux' }, () => {
  for (const publicApi of [false, true]) {
    test(`newcomers are let in all the same (${publicApi ? 'public API' : 'handles'})`, async (t) => {
      const server = await LimitedServer.start(DESCRIPTORS, { publicApi, handshakeTimeout: 60_000 })
      t.after(() => server.kill())
      const silent: SocketClient[] = []
      for (let count = 0; count < CLIENTS; count++) {
        const client = await SocketClient.open(server.port).catch(() => undefined)
        if (client !== undefined) silent.push(client)
      }
      let served = 0
      for (let tries = 0; tries < 40 && served < 5; tries++) {
        if (await echoes(server.port).catch(() => false)) served++
        else await delay(50)
      }
      assert.equal(served, 5)
      await Promise.all(silent.map((client) => client.destroy()))
    })
  }
})
