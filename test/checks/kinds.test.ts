// A value of the wrong kind is refused where it is given, in words: a string where a list belongs would end the process
// with the first visitor, and a file's name where its contents belong would be told by OpenSSL.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createServer, route } from '../../src/index.js'

function making(options: object): () => unknown {
  return () => Reflect.apply(createServer, undefined, [options])
}

async function listening(options: unknown): Promise<void> {
  const server = createServer()
  try {
    await Reflect.apply(server.listen, server, [options])
  } finally {
    await server.close()
  }
}

describe('createServer and route', () => {
  const wrong: readonly (readonly [options: Record<string, unknown>, words: RegExp])[] = [
    [{ origins: 'https://example.com' }, /origins must be a list .*write \['https:\/\/example\.com'\]/],
    [{ origins: ['example.com'] }, /origins: 'example\.com' is not an origin: write 'https:\/\/example\.com'/],
    [{ origins: ['https://example.com/'] }, /browsers write 'https:\/\/example\.com'$/],
    [{ origins: ['https://Example.com:443'] }, /browsers write 'https:\/\/example\.com'$/],
    [{ origins: ['*'] }, /leave the option out/],
    [{ origins: ['https://*.example.com'] }, /write a pattern as a RegExp/],
    [{ origins: [5] }, /5 is not an origin/],
    [{ origins: null }, /origins must be a list/],
    [{ protocols: 'chat' }, /protocols must be a list .*write \['chat'\]/],
    [{ protocols: ['a, b'] }, /'a, b' is not a subprotocol/],
    [{ protocols: [''] }, /is not a subprotocol/],
    [{ outputPolicy: 'wait' }, /outputPolicy must be 'pause', 'drop' or 'close', not 'wait'/],
    [{ streamLeft: true }, /streamLeft must be 'drain' or 'fail', not true/],
    [{ streamThreshold: '1' }, /streamThreshold must be a whole number .*write 1/],
    [{ message: null }, /message must be a function, not null/],
    [{ open: 'x' }, /open must be a function, not 'x'/],
    [{ upgrade: true }, /upgrade must be a function/],
    [{ upgradeFailed: {} }, /upgradeFailed must be a function, not an object/],
    [{ large: true }, /large must be an object/],
    [{ large: { module: 5 } }, /large\.module must be a URL or an absolute path/],
    [{ large: { module: '/x', threads: '2' } }, /large\.threads must be a whole number/],
    [{ large: { module: '/x', ordered: 'yes' } }, /large\.ordered must be true or false/],
    [{ large: { module: '/x', context: {} } }, /large\.context must be a function/],
    [{ maxMessage: '1024' }, /maxMessage must be a whole number from 0 to 2\^53 - 1, not '1024': write 1024/],
    [{ maxMessage: new Map() }, /not a Map$/],
  ]
  for (const [options, words] of wrong) {
    test(JSON.stringify(options), () => {
      assert.throws(making(options), { name: 'TypeError', message: words })
      assert.throws(() => Reflect.apply(route, undefined, [options]), { name: 'TypeError', message: words })
    })
  }

  const servers: readonly (readonly [options: Record<string, unknown>, words: RegExp])[] = [
    [{ trustedProxies: true }, /trustedProxies must be a list of addresses, not true: name the proxies/],
    [{ trustedProxies: '10.0.0.1' }, /write \['10\.0\.0\.1'\]/],
    [{ trustedProxies: 1 }, /trustedProxies must be a list/],
    [{ routes: [] }, /routes must be an object/],
    [{ routes: { '/a': { message() {} } } }, /must be made by the function route/],
    [{ broker: 'redis://localhost' }, /broker must be a broker: redisBroker\(url\)/],
    [{ broker: {} }, /broker must be a broker/],
    [{ publicApi: 'yes' }, /publicApi must be true or false/],
    [{ request: {} }, /request must be a function/],
  ]
  for (const [options, words] of servers) {
    test(JSON.stringify(options), () => assert.throws(making(options), { name: 'TypeError', message: words }))
  }

  test('origins as browsers and others write them are taken', () => {
    const origins = ['self', 'null', 'https://example.com', 'http://[::1]:8080', 'chrome-extension://abc', /^https:/]
    assert.doesNotThrow(making({ origins }))
    assert.doesNotThrow(making({ origins: [] }))
  })

  test('numbers out of bounds are RangeErrors', () => {
    for (const options of [
      { maxMessage: -1 },
      { maxFragments: 0 },
      { streamThreshold: 0.5 },
      { large: { module: '/x', threshold: 1 } },
      { large: { module: '/x', threads: 0 } },
    ]) {
      assert.throws(making(options), { name: 'RangeError', message: /must be a whole number from/ })
    }
  })
})

describe('listen', () => {
  const wrong: readonly (readonly [options: Record<string, unknown>, words: RegExp])[] = [
    [{ port: '9001' }, /port must be a whole number from 0 to 65535, not '9001': write 9001/],
    [{ host: 5 }, /host must be a string/],
    [{ path: 5 }, /path must be a string/],
    [{ acceptors: '2' }, /acceptors must be 'auto', or a whole number from 1 to 1024, not '2': write 2/],
    [{ acceptors: 'all' }, /acceptors must be 'auto'/],
    [{ acceptors: true }, /acceptors must be 'auto'/],
    [{ drainAfter: '5s' }, /drainAfter must be a whole number/],
    [{ signals: 'SIGTERM' }, /signals must be true or false/],
    [{ log: 'file' }, /log must be a function/],
    [{ proxyProtocol: 'v2' }, /proxyProtocol must be true or false/],
    [{ tls: true }, /tls must be an object: \{ key, cert \}/],
    [{ tls: './cert.pem' }, /tls must be an object/],
    [{ tls: { key: './key.pem', cert: './cert.pem' } }, /tls\.key must be the contents of the file .*readFileSync/],
    [{ tls: { ca: ['./ca.pem'] } }, /tls\.ca: read the file: readFileSync/],
    [{ tls: { pfx: './cert.p12' } }, /tls\.pfx must be the contents of the file/],
    [{ tls: { key: [{ pem: './key.pem' }] } }, /tls\.key: read the file/],
    [{ tls: { requestCert: 'yes' } }, /tls\.requestCert must be true or false/],
  ]
  for (const [options, words] of wrong) {
    test(JSON.stringify(options), () => assert.rejects(listening(options), { name: 'TypeError', message: words }))
  }

  test('numbers out of bounds are RangeErrors', async () => {
    for (const options of [{ acceptors: 0 }, { acceptors: 5000 }, { acceptors: 1.5 }, { startTimeout: -1 }]) {
      await assert.rejects(listening(options), RangeError)
    }
  })

  test('a message shows no secret', async () => {
    const secret = 'MC4CAQAwBQYDK2VwBCIEIBX'
    for (const tls of [{ key: secret }, { passphrase: [secret] }]) {
      await assert.rejects(listening({ tls }), (error: Error) => !error.message.includes(secret))
    }
  })
})
