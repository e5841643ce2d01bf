// A name that nobody knows is a limit that is not in force, a handler that nobody calls, or an address that is not
// listened on. So it is refused where it is given, and the message names the right one.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { natsBroker } from '../../src/brokers/natsBroker.js'
import { redisBroker } from '../../src/brokers/redisBroker.js'
import { redisShardedBroker } from '../../src/brokers/redisSharded.js'
import { createServer, route } from '../../src/index.js'

/** Calls a function of the API with what its types forbid. */
function calls(call: (...args: never[]) => unknown, ...args: readonly unknown[]): () => unknown {
  return () => Reflect.apply(call, undefined, args)
}

const listening = async (...args: readonly unknown[]): Promise<void> => {
  const server = createServer()
  try {
    await Reflect.apply(server.listen, server, args)
  } finally {
    await server.close()
  }
}

describe('createServer and route name the option that was meant', () => {
  const options: readonly (readonly [given: Record<string, unknown>, words: RegExp])[] = [
    [{ maxPayload: 1 }, /has no option 'maxPayload': did you mean 'maxMessage'\?/], // ws
    [{ maxPayloadLength: 1 }, /did you mean 'maxMessage'\?/], // uWebSockets.js, Bun
    [{ maxHttpBufferSize: 1 }, /did you mean 'maxMessage'\?/], // socket.io
    [{ maxBackpressure: 1 }, /did you mean 'outputLimit'\?/],
    [{ backpressureLimit: 1 }, /did you mean 'outputLimit'\?/],
    [{ closeOnBackpressureLimit: true }, /did you mean 'outputPolicy'\?/],
    [{ sendPings: true }, /did you mean 'pingInterval'\?/],
    [{ pingTimeout: 1 }, /did you mean 'idleTimeout'\?/],
    [{ idleTimeOut: 1 }, /did you mean 'idleTimeout'\?/],
    [{ max_message: 1 }, /did you mean 'maxMessage'\?/],
    [{ maxMesage: 1 }, /did you mean 'maxMessage'\?/],
    [{ outputlimt: 1 }, /did you mean 'outputLimit'\?/],
    [{ onmessage() {} }, /did you mean 'message'\?/],
    [{ onMessage() {} }, /did you mean 'message'\?/],
    [{ onopen() {} }, /did you mean 'open'\?/],
    [{ on_close() {} }, /did you mean 'close'\?/],
    [{ connection() {} }, /did you mean 'open'\?/],
    [{ disconnect() {} }, /did you mean 'close'\?/],
    [{ verifyClient() {} }, /did you mean 'upgrade'\?/],
    [{ cors: { origin: '*' } }, /did you mean 'origins'\?/],
    [{ on: {} }, /handlers are options/],
    [{ websocket: { message() {} } }, /handlers beside the other options/],
    [{ perMessageDeflate: true }, /did you mean 'deflate'\?/],
    [{ compression: 1 }, /did you mean 'deflate'\?/],
    [{ port: 9001 }, /belongs to server\.listen\(\{ port \}\)/],
    [{ hostname: '::1' }, /did you mean server\.listen\(\{ host \}\)/],
    [{ tls: { key: 'x' } }, /belongs to server\.listen\(\{ tls \}\)/],
    [{ key: Buffer.alloc(1) }, /belongs to listen\(\{ tls: \{ key \} \}\)/],
    [{ acceptors: 2 }, /belongs to server\.listen\(\{ acceptors \}\)/],
    [{ path: '/chat' }, /for paths of requests, use routes/],
    [{ threads: 2 }, /belongs to large: \{ threads \}/],
    [{ whatever: 1 }, /docs\/api\.md/],
  ]
  for (const [given, words] of options) {
    test(JSON.stringify(Object.keys(given)), () => {
      assert.throws(calls(createServer, given), { name: 'TypeError', message: words })
      const name = Object.keys(given)[0] ?? ''
      assert.throws(calls(route, given), { name: 'TypeError', message: new RegExp(`route has no option '${name}'`) })
    })
  }

  test('what is the server as a whole is no matter of a route, and says so', () => {
    const words = /route has no option 'maxConnections': it belongs to createServer\(\{ maxConnections \}\)/
    assert.throws(calls(route, { maxConnections: 1 }), { name: 'TypeError', message: words })
    assert.throws(calls(route, { request() {} }), TypeError)
  })

  test('in the option large', () => {
    assert.throws(calls(createServer, { large: { file: 'x' } }), /the option large has no option 'file': .*'module'/)
    assert.throws(calls(route, { large: { module: '/x', maxThreads: 2 } }), /did you mean 'threads'/)
    assert.throws(calls(createServer, { large: {} }), { name: 'TypeError', message: /large needs a module/ })
  })

  test('a second argument, as node:http and ws take one', () => {
    assert.throws(
      calls(createServer, {}, () => undefined),
      { name: 'TypeError', message: /option `request`/ },
    )
    for (const wrong of [() => undefined, null, 'x', 9001, []]) assert.throws(calls(createServer, wrong), TypeError)
  })
})

describe('what is no mistake', () => {
  test('members that are undefined are as if they were absent, whatever their names', async () => {
    assert.doesNotThrow(calls(createServer, { maxMessage: undefined, message: undefined, maxPayload: undefined }))
    await listening({ port: undefined, hostname: undefined, tls: undefined, host: '127.0.0.1' })
  })

  test('objects of the application beside its handlers: they are `this` there', () => {
    const room = { users: new Map<string, unknown>(), names: [], message: () => undefined }
    assert.doesNotThrow(calls(createServer, room))
  })

  test('handlers that are methods of a class, with fields of its own, and with what it inherits', () => {
    class Base {
      readonly emit = (): void => undefined
      onmessage(): void {}
      port(): void {}
    }
    class Chat extends Base {
      users = 0
      maxMessage = 1024
      message(): void {}
    }
    assert.doesNotThrow(calls(createServer, new Chat()))
  })

  test('but not fields that can only be meant as an option', () => {
    const idleTimeOut = Object.assign(new (class Chat {})(), { idleTimeOut: 1 })
    const onMessage = Object.assign(new (class Chat {})(), { onMessage() {} })
    assert.throws(calls(createServer, idleTimeOut), /did you mean 'idleTimeout'/)
    assert.throws(calls(createServer, onMessage), /did you mean 'message'/)
  })

  test('options without a prototype, and of another realm', async () => {
    const { runInNewContext } = await import('node:vm')
    assert.doesNotThrow(calls(createServer, Object.assign(Object.create(null), { maxMessage: 1 })))
    assert.doesNotThrow(calls(createServer, runInNewContext('({ maxMessage: 1, origins: [/^x$/] })')))
    assert.throws(calls(createServer, runInNewContext('({ maxPayload: 1 })')), TypeError)
  })
})

describe('listen', () => {
  const options: readonly (readonly [given: unknown, words: RegExp])[] = [
    [{ hostname: '::1' }, /has no option 'hostname': did you mean 'host'\?/],
    [{ unix: '/tmp/x' }, /did you mean 'path'\?/],
    [{ workers: 2 }, /did you mean 'acceptors'\?/],
    [{ ipv6only: true }, /did you mean 'ipv6Only'\?/],
    [{ key: 'x', cert: 'y' }, /belongs to listen\(\{ tls: \{ key \} \}\)/],
    [{ requestCert: true }, /belongs to listen\(\{ tls: \{ requestCert \} \}\)/],
    [{ keyFile: './key.pem' }, /listen\(\{ tls: \{ key \} \}\)/],
    [{ message() {} }, /belongs to createServer/],
    [{ maxPayload: 1 }, /createServer\(\{ maxMessage \}\)/],
    [{ reusePort: true }, /acceptors/],
    [{ tls: { keyFile: './key.pem' } }, /the option tls has no option 'keyFile': did you mean 'key'\?/],
    [{ tls: { cert_file_name: './cert.pem' } }, /did you mean 'cert'\?/],
    [{ tls: { requestcert: true } }, /did you mean 'requestCert'\?/],
    [{ path: '/tmp/x', port: 9001 }, /port and path/],
    [{ fd: 3, path: '/tmp/x' }, /path and fd/],
    [{ fd: '3' }, /fd must be a whole number/],
    [{ readableAll: true }, /needs path/],
  ]
  for (const [given, words] of options) {
    test(JSON.stringify(given), () => assert.rejects(listening(given), { name: 'TypeError', message: words }))
  }

  test('a number is a port', async () => {
    const server = await createServer().listen(0)
    assert.ok(server.port !== undefined && server.port > 0)
    assert.equal(server.port, server.address?.port)
    const { port } = server
    await server.close()
    assert.equal(server.port, undefined)
    await server.close()
    const again = await createServer().listen(port)
    assert.equal(again.port, port)
    await again.close()
  })

  test('a string is none, and neither are further arguments: they are told what to write', async () => {
    await assert.rejects(listening('9001'), { name: 'TypeError', message: /write listen\(9001\)/ })
    await assert.rejects(listening('/tmp/x.sock'), {
      name: 'TypeError',
      message: /listen\(\{ path: '\/tmp\/x\.sock' \}\)/,
    })
    await assert.rejects(listening(9001, '127.0.0.1'), { name: 'TypeError', message: /host: "127\.0\.0\.1"/ })
    await assert.rejects(
      listening(0, () => undefined),
      { name: 'TypeError', message: /returns a promise/ },
    )
    await assert.rejects(listening(70_000), RangeError)
    await assert.rejects(listening(Number.NaN), RangeError)
    await assert.rejects(listening(null), TypeError)
  })

  test('names that only node:tls knows, or will know, pass', async () => {
    const words = /needs a key and a certificate/
    await assert.rejects(listening({ tls: { ticketKeys: Buffer.alloc(48), somethingNew: 1 } }), words)
  })
})

describe('others', () => {
  test('redisShardedBroker', () => {
    const wrong = { maxBufferd: 1 }
    assert.throws(calls(redisShardedBroker, 'redis://localhost', wrong), {
      name: 'TypeError',
      message: /'maxBuffered'/,
    })
    assert.throws(calls(redisShardedBroker, 'redis://localhost,http://localhost'), { code: 'ERR_REDIS_ADDRESS' })
  })

  test('natsBroker', () => {
    assert.throws(calls(natsBroker, 'nats://localhost', { maxBufferd: 1 }), {
      name: 'TypeError',
      message: /'maxBuffered'/,
    })
    assert.throws(calls(natsBroker, 'nats://localhost', { prefix: 5 }), {
      name: 'TypeError',
      message: /prefix must be/,
    })
    assert.throws(calls(natsBroker, undefined), TypeError)
  })

  test('redisBroker', () => {
    const url = 'redis://localhost'
    assert.throws(calls(redisBroker, url, { maxBufferd: 1 }), { name: 'TypeError', message: /'maxBuffered'/ })
    assert.throws(calls(redisBroker, url, { host: 'x' }), TypeError)
    assert.throws(calls(redisBroker, url, { prefix: 5 }), { name: 'TypeError', message: /prefix must be a string/ })
    assert.throws(calls(redisBroker, { host: 'x' }), TypeError)
  })

  test('close', async () => {
    const close = (...args: readonly unknown[]) => Reflect.apply(createServer().close, createServer(), args)
    await assert.rejects(close({ drainafter: 1 }), { name: 'TypeError', message: /did you mean 'drainAfter'/ })
    await assert.rejects(close({ drainAfter: '1s' }), {
      name: 'TypeError',
      message: /drainAfter must be a whole number/,
    })
    await assert.rejects(close({ drainOver: -1 }), RangeError)
    await assert.rejects(close('bye'), TypeError)
    await assert.rejects(close(1000, 5), TypeError)
  })

  test('setSecureContext', () => {
    const renew = calls(createServer().setSecureContext, { keyFile: 'x' })
    assert.throws(renew, { name: 'TypeError', message: /setSecureContext has no option 'keyFile': did you mean 'key'/ })
    assert.throws(
      calls(createServer().setSecureContext, { cert: './cert.pem' }),
      /cert must be the contents of the file/,
    )
  })

  test('handleUpgrade takes the arguments of an upgrade listener, and no callback', () => {
    const server = createServer()
    const hand =
      (...args: readonly unknown[]) =>
      () =>
        Reflect.apply(server.handleUpgrade, server, args)
    const [request, socket, head] = [{ rawHeaders: [] }, { write() {} }, Buffer.alloc(0)]
    assert.throws(hand(new Request('http://x'), socket, head), { name: 'TypeError', message: /IncomingMessage/ })
    assert.throws(hand(undefined, socket, head), TypeError)
    assert.throws(hand(request, {}, head), { name: 'TypeError', message: /socket .* must be a Duplex/ })
    assert.throws(hand(request, socket), { name: 'TypeError', message: /head .* must be a Buffer/ })
    assert.throws(
      hand(request, socket, head, () => undefined),
      { name: 'TypeError', message: /no callback/ },
    )
  })
})
