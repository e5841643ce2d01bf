// Whoever comes from another server finds the same program twice in a guide, and believes that both do the same. So both run here,
// and the same clients try them.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { WsClient } from '../clients/wsClient.js'
import { ecosystemMissing } from '../support/ecosystem.js'
import { delay } from '../support/socketClient.js'
import { UserProject } from '../support/userProject.js'
import { refused } from './adapterChecks.js'
import { programsIn } from './documentPrograms.js'
import { Program } from './program.js'

const { BUN = 'bun' } = process.env
const bunMissing =
  process.env['CI'] !== 'true' && spawnSync(BUN, ['--version'], { timeout: 20_000, stdio: 'ignore' }).status !== 0
    ? 'there is no Bun here: npm install it, and set BUN to its path'
    : false

/** What makes a program of a guide listen on a free port, and say on which. */
const LOCALLY: readonly (readonly [RegExp, string])[] = [
  [/^await (server|app)\.listen\(\{ port: 9001 \}\)$/m, "await $1.listen({ port: 0, host: '127.0.0.1' })\nsay($1)"],
  [/^ {2}port: 9001,$/m, "  port: 0,\n  hostname: '127.0.0.1',"],
  [/\.listen\(9001\)$/m, ".listen(0, '127.0.0.1', function () { say(this) })"],
  [/serve\(\{ fetch: app\.fetch, port: 9001 \}\)/, "serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, say)"],
  [/new Server\(9001, /, 'new Server(http, '],
]
const SAY = `import { createServer as createHttp } from 'node:http'
const portOf = (it) => it.port ?? it.server?.address()?.port ?? it.address?.()?.port
const say = (it) => console.log('listening on ws://127.0.0.1:' + portOf(it))
`

const guide = (name: string, words: RegExp): string => {
  const found = programsIn(`docs/${name}.md`).filter(({ code }) => words.test(code))
  assert.equal(found.length, 1, `${words} in ${name}`)
  return found[0]?.code ?? ''
}

describe('the guides', { skip: ecosystemMissing() }, () => {
  let project: UserProject
  const programs: Program[] = []
  before(() => {
    project = new UserProject()
  })
  after(async () => {
    await Promise.all(programs.map((program) => program.kill()))
    project.remove()
  })

  /** Runs a program in this file of a user's project. */
  async function run(code: string, file: string, end = '', runtime?: string, where = project): Promise<number> {
    const local = LOCALLY.reduce(
      (text, [from, to]) => text.replace(from, to),
      code.replaceAll(/(from '\.\/\w+)\.ts'/g, "$1.js'"),
    )
    const path = join(where.folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, SAY + local + end)
    const program = await Program.start([path], {}, runtime)
    programs.push(program)
    return program.port
  }

  describe('from crossws', () => {
    for (const [name, words] of [
      ['crossws', /nodeAdapter(?:.|\n)*createServer\(\)/],
      ['millrace', /from 'millrace'$/m],
    ] as const) {
      test(`with ${name}`, async () => {
        const url = `ws://127.0.0.1:${await run(guide('from-crossws', words), `crossws-${name}.mjs`)}`
        assert.equal((await refused(url)).statusCode, 400)
        await chats(url, { toSelf: false, header: 'x-name' })
      })
    }

    test('with crossws on millrace/ws', async () => {
      const code = guide('from-crossws', /millrace\/ws/)
      const end =
        "\nconst http = createHttp().on('upgrade', ws.handleUpgrade)\nhttp.listen(0, '127.0.0.1', () => say(http))\n"
      const client = await WsClient.open(`ws://127.0.0.1:${await run(code, 'crossws-ws.mjs', end)}`)
      client.socket.send('hello')
      assert.equal(await client.messages.next(), 'hello')
      await client.close()
    })
  })

  describe('from Bun.serve', () => {
    test('with Bun', { skip: bunMissing }, async () => {
      const port = await run(guide('from-bun', /Bun\.serve/), 'bun.mjs', '\nsay(server)\n', BUN)
      await both(`127.0.0.1:${port}`)
    })

    test('with millrace', async () =>
      both(`127.0.0.1:${await run(guide('from-bun', /from 'millrace'/), 'bun-millrace.mjs')}`))

    async function both(where: string): Promise<void> {
      assert.equal(await (await fetch(`http://${where}/`)).text(), 'a page')
      assert.equal((await refused(`ws://${where}/chat`)).statusCode, 400)
      await chats(`ws://${where}/chat`, { toSelf: true, header: 'set-cookie' })
      const talker = await WsClient.open(`ws://${where}/chat?name=max`)
      talker.socket.send('x'.repeat(65_537))
      assert.match(String((await talker.ended).code), /^1009$|^1006$/)
    }
  })

  describe('from socket.io', () => {
    const listens = "\nhttp.listen(0, '127.0.0.1', () => say(http))\n"

    test('with socket.io', async () => {
      const code = guide('from-socketio', /from 'socket\.io'\n\nconst io = new Server\(9001/)
      await rooms(await run(`const http = createHttp()\n${code}`, 'socketio.mjs', listens))
    })

    test('with socket.io on millrace/ws, which serves the WebSockets', async () => {
      const code = guide('from-socketio', /wsEngine/).replace(
        'http.listen(9001)\n',
        'console.log(io.engine.ws.constructor === WebSocketServer)',
      )
      await rooms(await run(code, 'socketio-engine.mjs', listens))
      assert.match(programs.at(-1)?.output ?? '', /^true$/m)
    })

    async function rooms(port: number): Promise<void> {
      const { io } = (await project.import('socket.io-client')) as { io(url: string, options: object): SocketIo }
      for (const transports of [['websocket'], ['polling', 'websocket']]) {
        const [anna, ben] = ['anna', 'ben'].map((name) => {
          return io(`http://127.0.0.1:${port}`, { query: { name }, forceNew: true, transports })
        })
        assert.ok(anna !== undefined && ben !== undefined)
        assert.deepEqual(await anna.emitWithAck('join', 'lobby'), { size: 1 })
        const joined = new Promise((resolve) => anna.on('joined', (name) => resolve(name)))
        assert.deepEqual(await ben.emitWithAck('join', 'lobby'), { size: 2 })
        assert.equal(await joined, 'ben')
        const said = [anna, ben].map((one) => new Promise((resolve) => one.on('said', (...all) => resolve(all))))
        ben.emit('say', 'lobby', 'hello')
        assert.deepEqual(await Promise.all(said), Array(2).fill(['ben', 'hello']))
        for (const one of [anna, ben]) one.disconnect()
        await delay(50)
      }
    }

    test('with millrace, and with the client that is there', async () => {
      const port = await run(guide('from-socketio', /from 'millrace'$/m), 'socketio-millrace.mjs')
      assert.equal((await refused(`ws://127.0.0.1:${port}`)).statusCode, 400)
      writeFileSync(join(project.folder, 'client.mjs'), guide('from-socketio', /class Client/))
      Object.assign(globalThis, { WebSocket })
      const { Client } = (await project.import('./client.mjs')) as { Client: new (url: string) => GuideClient }
      const connected = async (name: string): Promise<GuideClient> => {
        const client = new Client(`ws://127.0.0.1:${port}/?name=${name}`)
        await once(client, 'connect')
        return client
      }
      const [anna, ben] = [await connected('anna'), await connected('ben')]
      assert.deepEqual(await anna.emit('join', { room: 'lobby' }), { size: 1 })
      const joined = once(anna, 'joined')
      assert.deepEqual(await ben.emit('join', { room: 'lobby' }), { size: 2 })
      assert.deepEqual((await joined)[0].detail, { room: 'lobby', name: 'ben' })
      const said = [anna, ben].map((one) => once(one, 'said'))
      assert.deepEqual(await ben.emit('say', { room: 'lobby', text: 'hello' }), { size: 2 })
      for (const one of said) assert.deepEqual((await one)[0].detail, { room: 'lobby', name: 'ben', text: 'hello' })
      const again = once(ben, 'connect')
      await assert.rejects(ben.emit('join', { room: '' }), /the connection is lost/)
      await again // after a second, more or less
      assert.deepEqual(await ben.emit('join', { room: 'lobby' }), { size: 2 })
      for (const one of [anna, ben]) one.close()
      await delay(10)
      await assert.rejects(anna.emit('join', { room: 'lobby' }), /not connected/)
    })
  })

  for (const [name, words] of [
    ['fastify', /from 'fastify'/],
    ['hono', /from 'hono'/],
  ] as const) {
    test(`frameworks: ${name}`, async (t) => {
      const own = new UserProject(name)
      t.after(() => own.remove())
      const port = await run(guide('frameworks', words), `compiled/${name}/main.js`, '', undefined, own)
      const client = await WsClient.open(`ws://127.0.0.1:${port}/echo`)
      client.socket.send('grüß dich')
      assert.equal(await client.messages.next(), 'grüß dich')
      await client.close()
    })
  }
})

interface SocketIo {
  emit(event: string, ...members: unknown[]): void
  emitWithAck(event: string, ...members: unknown[]): Promise<unknown>
  on(event: string, listener: (...members: unknown[]) => void): void
  disconnect(): void
}

interface GuideClient extends EventTarget {
  emit(event: string, members?: object): Promise<unknown>
  close(): void
}

/** Two clients come, talk and go. */
async function chats(url: string, { toSelf, header }: { toSelf: boolean; header: string }): Promise<void> {
  const socket = new WebSocket(`${url}?name=anna`)
  const [response] = await once(socket, 'upgrade')
  assert.match(String(response.headers[header]), /anna/)
  const heard: string[] = []
  socket.on('message', (data) => heard.push(String(data)))
  const ben = await WsClient.open(`${url}?name=ben`)
  ben.socket.send('hello')
  if (toSelf) for (const text of ['ben has come', 'ben: hello']) assert.equal(await ben.messages.next(), text)
  await delay(50)
  await ben.close(1000)
  for (let waited = 0; waited < 200 && !heard.includes('ben has gone'); waited++) await delay(10)
  assert.deepEqual(
    heard.filter((text) => !text.startsWith('anna')),
    ['ben has come', 'ben: hello', 'ben has gone'],
  )
  socket.close()
}
