// Node uses what `onread` returns: a view re-aims the next read, and a number, null or a promise aborts the process.
// Whatever handlers return or throw, what Node gets back is undefined, or a view of the reader's own choice. A mistake here
// kills the process that runs this.
import assert from 'node:assert/strict'
import { socketOf } from '../../src/internals/accept.js'
import { type Bindings, bindings, type StreamHandle } from '../../src/internals/node.js'
import { aimReads, type HandleReader, readChunks } from '../../src/internals/stream.js'
import { CLOSE, closeStatus, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { describe, test } from '../support/privateApi.js'
import { servingAll } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'
import { handlePair } from '../support/socketHandles.js'

function required(): Bindings {
  const found = bindings()
  assert.ok(found !== undefined, 'these tests need the private API')
  return found
}

/** What careless code returns. */
const returned: Record<string, () => unknown> = {
  'a buffer': () => new ArrayBuffer(8),
  'a number': () => 1,
  zero: () => 0,
  null: () => null,
  true: () => true,
  'a string': () => 'x',
  'an object': () => ({}),
  'a promise': () => Promise.resolve(),
  'a promise of a view': async () => new Uint8Array(8),
}

/** The same, where nobody may choose a view to read into. */
const returnedByHandlers: Record<string, () => unknown> = { 'a view': () => new Uint8Array(8), ...returned }

/** An object with the methods of a handle, on which `onread` can be called by hand. */
function fakeHandle(): StreamHandle {
  return {
    onread: () => undefined,
    readStart: () => 0,
    readStop: () => 0,
    useUserBuffer: () => undefined,
    writev: () => 0,
    writeBuffer: () => 0,
    shutdown: () => 0,
    close: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
  }
}

describe('the function that is installed', () => {
  const { state, readBytesOrError } = required()
  const install: Record<string, (handle: StreamHandle, told: () => unknown) => void> = {
    aimReads: (handle, told) => aimReads(handle, new Uint8Array(64), { read: () => told() as undefined }),
    readChunks: (handle, told) => readChunks(handle, { readChunk: () => told() as undefined }),
  }
  for (const [name, installIn] of Object.entries(install)) {
    test(`by ${name} is no async function and no generator`, () => {
      const handle = fakeHandle()
      installIn(handle, () => undefined)
      assert.equal(Object.getPrototypeOf(handle.onread), Function.prototype)
    })

    test(`by ${name} hands on a view to aim at only if reads are aimed at all`, () => {
      const handle = fakeHandle()
      const view = new Uint8Array(8)
      installIn(handle, () => view)
      state[readBytesOrError] = 5
      assert.equal(handle.onread.call(handle, new ArrayBuffer(64)), name === 'aimReads' ? view : undefined)
    })

    for (const [kind, value] of Object.entries(returned)) {
      test(`by ${name} returns undefined when the reader returns ${kind}`, () => {
        const handle = fakeHandle()
        let told = 0
        installIn(handle, () => {
          told++
          return value()
        })
        for (const status of [5, 0, -104, -4095]) {
          state[readBytesOrError] = status
          const chunk = status > 0 ? new ArrayBuffer(64) : undefined
          assert.equal(handle.onread.call(handle, chunk), undefined)
        }
        assert.ok(told >= 3)
      })
    }
  }
})

describe('on a real handle', () => {
  for (const [kind, value] of Object.entries(returned)) {
    test(`a reader that returns ${kind} goes on reading into the same memory`, async () => {
      const { handle, client } = await handlePair()
      const inbox = new Uint8Array(64)
      const seen: string[] = []
      const read = (status: number): unknown => {
        if (status > 0) seen.push(Buffer.from(inbox.subarray(0, status)).toString())
        return value()
      }
      aimReads(handle, inbox, { read: (status) => read(status) as undefined })
      handle.readStart()
      for (const text of ['first', 'second', 'third']) {
        client.write(text)
        await eventually(() => seen.join('').endsWith(text), text)
      }
      assert.equal(seen.join(''), 'firstsecondthird')
      await new Promise<void>((resolve) => handle.close(resolve))
      await client.end()
      await client.destroy()
    })
  }
})

test('a reader may aim the next read elsewhere, and back', async () => {
  const { handle, client } = await handlePair()
  const places = [new Uint8Array(64), new Uint8Array(4)] as const
  const seen: [number, string][] = []
  let at: 0 | 1 = 0
  aimReads(handle, places[0], {
    read(status) {
      if (status <= 0) return undefined
      seen.push([at, Buffer.from(places[at].subarray(0, status)).toString()])
      at = at === 0 ? 1 : 0
      return places[at]
    },
  })
  handle.readStart()
  for (const [count, text] of ['first', 'four', 'third'].entries()) {
    client.write(text)
    await eventually(() => seen.length > count, text)
  }
  assert.deepEqual(seen, [
    [0, 'first'],
    [1, 'four'],
    [0, 'third'],
  ])
  await new Promise<void>((resolve) => handle.close(resolve))
  await client.end()
  await client.destroy()
})

describe('through the server', () => {
  let answer: () => unknown = () => undefined
  const errors: unknown[] = []

  const server = servingAll({
    open: () => answer(),
    message(connection, message) {
      connection.send(message)
      return answer()
    },
    close: () => answer(),
    error: (_, error) => {
      errors.push(error)
      return answer()
    },
  })

  async function connected(pieces: boolean): Promise<SocketClient> {
    const client = await SocketClient.open(server.address?.port ?? 0)
    const text = upgradeRequest()
    await client.writePieces((pieces ? [text.slice(0, 9), text.slice(9)] : [text]).map((piece) => Buffer.from(piece)))
    return client
  }

  for (const [kind, value] of Object.entries(returnedByHandlers)) {
    test(`handlers may return ${kind}, in either lane`, async () => {
      answer = value
      for (const pieces of [false, true]) {
        const client = await connected(pieces)
        for (let count = 1; count <= 5; count++) {
          client.write(masked(TEXT, `message ${count}`))
          const frames = await client.frames(count)
          assert.equal(frames.at(-1)?.payload.toString(), `message ${count}`)
        }
        await client.destroy()
      }
    })
  }

  for (const [kind, fail] of Object.entries<() => unknown>({
    'an exception': () => {
      throw new Error('thrown')
    },
    'a rejection': () => Promise.reject(new Error('thrown')),
    'an exception that is no error': () => {
      throw null
    },
  })) {
    test(`${kind} of a handler ends its own connection with 1011, and no other`, async () => {
      answer = () => undefined
      const bystander = await connected(false)
      bystander.write(masked(TEXT, 'before'))
      await bystander.frames(1)
      const client = await connected(false)
      client.write(masked(TEXT, 'first'))
      await client.frames(1)
      errors.length = 0
      let failures = 1
      answer = () => (failures-- > 0 ? fail() : undefined)
      client.write(masked(TEXT, 'second'))
      const frames = await client.frames(3)
      assert.equal(frames[2]?.opcode, CLOSE)
      assert.equal(closeStatus(frames[2])?.code, 1011)
      assert.equal(errors.length, 1)
      answer = () => undefined
      bystander.write(masked(TEXT, 'after'))
      assert.equal((await bystander.frames(2))[1]?.payload.toString(), 'after')
      await client.destroy()
      await bystander.destroy()
    })
  }
})

test('a socket of node:net made of a handle whose reads were aimed gets each chunk in memory of its own, and another reader none of it', async () => {
  const { handle, client } = await handlePair()
  const inbox = new Uint8Array(64)
  let first = ''
  aimReads(handle, inbox, {
    read(status) {
      first += Buffer.from(inbox.subarray(0, status)).toString()
      return undefined
    },
  })
  handle.readStart()
  client.write('first')
  await eventually(() => first === 'first', 'the first reader')
  const socket = socketOf(handle, inbox, Buffer.from(first))
  const chunks: Buffer[] = []
  let ended = false
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => (ended = true))
  for (const text of ['second', 'third']) {
    client.write(text)
    await eventually(() => Buffer.concat(chunks).toString().endsWith(text), text)
  }
  client.socket.end()
  await eventually(() => ended, 'the end')
  assert.deepEqual(chunks.map(String), ['first', 'second', 'third'])
  assert.equal(first, 'first')
  await client.destroy()
})

test('reads that were aimed are aimed no second time: only their reader is another one', async () => {
  const { handle, client } = await handlePair()
  const inbox = new Uint8Array(64)
  const seen: string[] = []
  const reader = (name: string): HandleReader => ({
    read(status) {
      if (status > 0) seen.push(`${name} ${Buffer.from(inbox.subarray(0, status)).toString()}`)
      return undefined
    },
  })
  let aimed = 0
  const { useUserBuffer } = handle
  handle.useUserBuffer = (view) => {
    aimed++
    useUserBuffer.call(handle, view)
  }
  aimReads(handle, inbox, reader('one'))
  handle.readStart()
  client.write('first')
  await eventually(() => seen.length === 1, 'the first read')
  aimReads(handle, inbox, reader('two'))
  client.write('second')
  await eventually(() => seen.length === 2, 'the second read')
  assert.deepEqual([seen, aimed], [['one first', 'two second'], 1])
  await new Promise<void>((resolve) => handle.close(resolve))
  await client.end()
  await client.destroy()
})
