// Peers that connect and don't finish their handshake take places and memory. Both are bounded, and none of them keeps a
// newcomer out: the oldest of the address that has the most goes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Budget } from '../../src/memory/budget.js'
import { type Arrival, Arrivals } from '../../src/server/admission/arrivals.js'
import { ProxyLine } from '../../src/server/admission/proxyLine.js'
import { Http2Lane } from '../../src/server/lanes/http2Lane.js'
import { HttpLane } from '../../src/server/lanes/httpLane.js'
import { type Lanes, Listener, type ListenOptions } from '../../src/server/listener.js'
import { Deadlines } from '../../src/time/deadlines.js'
import { cert, key } from '../support/certificate.js'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { laneOptions } from '../support/httpLanes.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

/** Arrivals that note who goes. */
class Crowd {
  readonly budget = new Budget(2 ** 28)
  readonly arrivals: Arrivals
  readonly gone: string[] = []
  asked = 0

  constructor(connections: number, bytes = Infinity) {
    this.arrivals = new Arrivals({ connections, bytes }, this.budget)
  }

  add(
    name: string,
    address: string | undefined = name.slice(0, 1),
    cost = 10,
    goes: () => boolean = () => true,
  ): Arrival {
    const count = (): void => void this.asked++
    const { gone } = this
    const arrival: Arrival = {
      cost,
      get remoteAddress() {
        count()
        return address
      },
      giveWay() {
        if (!goes()) return false
        gone.push(name)
        return true
      },
    }
    this.arrivals.add(arrival)
    return arrival
  }
}

describe('places among the arrivals', () => {
  test('are given up by the oldest of the address with the most', () => {
    const crowd = new Crowd(10)
    for (const name of ['b1', 'a1', 'a2', 'c1', 'a3', 'b2', 'a4', 'a5', 'a6', 'b3']) crowd.add(name)
    assert.deepEqual(crowd.gone, [])
    for (const name of ['d1', 'd2', 'e1', 'a7', 'b4']) crowd.add(name)
    assert.deepEqual(crowd.gone, ['a1', 'a2', 'a3', 'a4', 'b1'])
    assert.equal(crowd.arrivals.size, 10)
  })

  test('are given up by the oldest of all where nobody has an address', () => {
    const crowd = new Crowd(3)
    for (const name of ['1', '2', '3', '4', '5']) crowd.add(name, undefined)
    assert.deepEqual(crowd.gone, ['1', '2'])
  })

  test('are bounded in bytes, too, which count in the budget while they are held', () => {
    const crowd = new Crowd(1000, 100)
    const [first] = [crowd.add('a1', 'a', 40), crowd.add('a2', 'a', 40)]
    assert.equal(crowd.budget.used, 80)
    crowd.add('b1', 'b', 90)
    assert.deepEqual(crowd.gone, ['a1', 'a2'])
    assert.equal(crowd.budget.used, 90)
    crowd.arrivals.delete(first)
    assert.equal(crowd.budget.used, 90)
    for (const arrival of [...crowd.arrivals]) crowd.arrivals.delete(arrival)
    assert.deepEqual([crowd.budget.used, crowd.arrivals.size], [0, 0])
  })

  test('stay with those who may stay: the next one goes', () => {
    const crowd = new Crowd(3)
    crowd.add('a1', 'a', 10, () => false)
    crowd.add('a2')
    crowd.add('a3')
    crowd.add('b1')
    assert.deepEqual(crowd.gone, ['a2'])
    const full = new Crowd(3)
    for (let at = 0; at < 20; at++) full.add(`a${at}`, 'a', 10, () => false)
    assert.deepEqual([full.gone, full.arrivals.size], [[], 20], 'a newcomer has a place even so')
  })

  test('cost no question after addresses while there are enough', () => {
    const crowd = new Crowd(1000)
    for (let at = 0; at < 750; at++) crowd.add(`a${at}`)
    assert.equal(crowd.asked, 0)
    let most = 0
    for (let at = 0; at < 1000; at++) {
      const before = crowd.asked
      crowd.add(`a${at}`)
      most = Math.max(most, crowd.asked - before)
    }
    assert.equal(most, 4)
    assert.equal(crowd.arrivals.size, 1000)
  })

  test('are shed, an eighth of them, where the system has none left', () => {
    const crowd = new Crowd(1000)
    for (let at = 0; at < 60; at++) crowd.add(`a${at}`)
    for (let at = 0; at < 4; at++) crowd.add(`b${at}`)
    crowd.arrivals.shed()
    assert.deepEqual(crowd.gone, ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'])
    crowd.arrivals.shed()
    assert.equal(crowd.arrivals.size, 49)
    const none = new Crowd(10)
    none.arrivals.shed()
    assert.deepEqual(none.gone, [])
  })

  test('are made once, also where whoever goes comes back for its answer', () => {
    const crowd = new Crowd(100)
    let deepest = 0
    let depth = 0
    const comesBack = (): boolean => {
      deepest = Math.max(deepest, ++depth)
      assert.equal(crowd.arrivals.makingRoom, true)
      crowd.add('answer', 'a')
      depth--
      return true
    }
    for (let at = 0; at < 1000; at++) crowd.add(`a${at}`, 'a', 10, comesBack)
    assert.equal(deepest, 1)
    assert.equal(crowd.arrivals.makingRoom, false)
  })
})

const PLACES = 5

function lanesFor(crowd: Arrivals): Lanes {
  const deadlines = new Deadlines(() => false)
  const proxyLine = new ProxyLine(deadlines, 10_000, () => true)
  const clientOf = (socket: Parameters<ProxyLine['clientOf']>[0]) => proxyLine.clientOf(socket)
  const options = { ...laneOptions(() => undefined), deadlines, mostSockets: 1000, arrivals: crowd, clientOf }
  return {
    raw: undefined,
    http: new HttpLane(options),
    http2: new Http2Lane(options),
    deadlines,
    arrivals: crowd,
    handshakeTimeout: 10_000,
    proxyLine,
  }
}

/** What a peer sends that never gets as far as a request. */
const HINDRANCES: Record<string, { options: ListenOptions; sends: string | undefined; secure?: boolean }> = {
  'say nothing': { options: {}, sends: undefined },
  'send half a head': { options: {}, sends: 'GET / HTTP/1.1\r\nHost:' },
  'half a TLS handshake': { options: { tls: { key, cert } }, sends: '\x16\x03\x01\x02\x00\x01', secure: true },
  'say nothing where TLS is expected': { options: { tls: { key, cert } }, sends: undefined, secure: true },
  'half a PROXY header': { options: { proxyProtocol: true }, sends: 'PROXY TCP4 192.0.2.1' },
}

describe('peers that', () => {
  for (const [name, { options, sends, secure = false }] of Object.entries(HINDRANCES)) {
    test(`${name} lose their places to newcomers, the oldest first`, async () => {
      const arrivals = new Arrivals({ connections: PLACES, bytes: Infinity }, new Budget(2 ** 28))
      const lanes = lanesFor(arrivals)
      const where = { host: '127.0.0.1', ...options }
      const listener = new Listener(where, lanes)
      await listener.listen(where, lanes)
      const port = typeof listener.address === 'object' ? listener.address.port : 0
      const sockets: Socket[] = []
      for (let count = 0; count < 2 * PLACES; count++) {
        const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
        await once(socket.resume(), 'connect')
        if (sends !== undefined) socket.write(sends, 'latin1')
        sockets.push(socket)
        await delay(5)
      }
      await eventually(() => sockets.filter(({ closed }) => closed).length === PLACES, 'the oldest have gone')
      assert.deepEqual(sockets.map(({ closed }) => closed).lastIndexOf(true), PLACES - 1)
      // A newcomer that does what it should is answered: 418 is what this lane answers.
      const newcomer = secure
        ? connectTls({ port, host: '127.0.0.1', ca: cert, checkServerIdentity: () => undefined })
        : connect({ port, host: '127.0.0.1' })
      newcomer.write(`${options.proxyProtocol === true ? 'PROXY UNKNOWN\r\n' : ''}GET / HTTP/1.1\r\nHost: x\r\n\r\n`)
      const [answer] = await once(newcomer, 'data')
      assert.match(String(answer), /^HTTP\/1\.1 418 /)
      for (const socket of [...sockets, newcomer]) socket.destroy()
      listener.close()
      await lanes.http.close()
      await eventually(() => arrivals.size === 0, 'nobody is left')
    })
  }
})

async function from(trial: Trial, localAddress: string, text?: string): Promise<SocketClient> {
  const socket = connect({ port: trial.port, host: '127.0.0.1', localAddress, allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  const client = trial.adopt(new SocketClient(socket))
  if (text !== undefined) client.write(text)
  return client
}

const FLOOD = 250

describe('a flood', {
  skip: process.platform === 'linux' ? false : 'other addresses of this machine are needed',
}, () => {
  const floods: Record<string, string> = {
    'of heads that never end': 'GET / HTTP/1.1\r\nHost: x\r\nX: ',
    'of bodies that never end': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx',
    'of upgrades that are not answered': upgradeRequest({ TE: 'x' }, 'GET /later HTTP/1.1'),
  }
  for (const [name, text] of Object.entries(floods)) {
    inEveryLane(`${name} leaves those alone who came before and come after, from another address`, async (trial) => {
      const server = await trial.serve({
        payloadMemory: 0,
        request: () => undefined,
        upgrade: ({ path }) => (path === '/later' ? new Promise<undefined>(() => undefined) : undefined),
      })
      const [slow, patient] = [await from(trial, '127.0.0.2', 'GET / HTTP/1.1\r\n'), await from(trial, '127.0.0.2')]
      const flood = await Promise.all(Array.from({ length: FLOOD }, () => from(trial, '127.0.0.1', text)))
      await eventually(() => flood.some(({ over }) => over), 'some of the flood must go')
      for (const client of [patient, await from(trial, '127.0.0.2'), await from(trial, '127.0.0.1')]) {
        await trial.request(client, upgradeRequest())
        assert.equal((await client.response()).status, 101)
      }
      slow.write(upgradeRequest().replace(/^.*\r\n/, ''))
      assert.equal((await slow.response()).status, 101)
      for (const { text: answer } of flood) assert.match(answer, /^($|HTTP\/1\.1 503 )/)
      assert.equal(server.connections.size, 4)
    })
  }
})
