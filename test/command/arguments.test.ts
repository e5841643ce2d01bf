// What is typed must mean what it says: an option that is ignored, or read as another's value, is a server that runs
// with limits nobody asked for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helpText, parseArguments, UsageError } from '../../src/command/arguments.js'
import { parseConformArguments } from '../../src/command/conform/arguments.js'
import { defaultLimits } from '../../src/server/options.js'

/** Limits of handlers that return promises: an echo server's don't. */
const notForEcho = ['pendingHandlers', 'maxConnectionsPerAddress']

test('nothing asked for is the defaults', () => {
  assert.deepEqual(parseArguments([]), { name: 'serve', listen: { port: 9001, host: '127.0.0.1' }, limits: {} })
})

test('--deflate takes no value', () => {
  const command = parseArguments(['--deflate', '--port', '1'])
  assert.deepEqual(command, { name: 'serve', listen: { port: 1, host: '127.0.0.1' }, limits: {}, deflate: true })
  assert.throws(() => parseArguments(['--deflate=15']), UsageError)
  assert.match(helpText('1.2.3'), /^ {2}--deflate +permessage-deflate/m)
})

test('every option is taken, in both ways of writing it', () => {
  const expected = {
    name: 'serve',
    broker: 'redis://there',
    listen: { port: 0, host: '::1' },
    limits: {
      maxMessage: 67_108_864,
      payloadMemory: 1_000_000_000,
      outputLimit: 16_384,
      outputCeiling: 4096,
      handshakeTimeout: 500,
      payloadTimeout: 0,
      closeTimeout: 120_000,
      maxHeaderSize: 2048,
      byteRate: 1_048_576,
      maxConnections: 7,
      maxFragments: 3,
      maxSubscriptions: 8,
      maxTopics: 9,
      messageRate: 0,
      pingInterval: 1000,
      idleTimeout: 3000,
      pauseTimeout: 4000,
      maxLifetime: 60_000,
    },
  }
  const values = [
    ['--port', '0'],
    ['--host', '::1'],
    ['--max-message', '64MiB'],
    ['--payload-memory', '1GB'],
    ['--output-limit', '16k'],
    ['--output-ceiling', '4096'],
    ['--handshake-timeout', '500ms'],
    ['--payload-timeout', '0'],
    ['--close-timeout', '2m'],
    ['--max-header-size', '2k'],
    ['--byte-rate', '1MiB'],
    ['--max-connections', '7'],
    ['--max-fragments', '3'],
    ['--max-subscriptions', '8'],
    ['--max-topics', '9'],
    ['--message-rate', '0'],
    ['--broker', 'redis://there'],
    ['--ping-interval', '1s'],
    ['--idle-timeout', '3s'],
    ['--pause-timeout', '4s'],
    ['--max-lifetime', '1m'],
  ] as const
  assert.deepEqual(parseArguments(values.flat()), expected)
  assert.deepEqual(parseArguments(values.map(([name, value]) => `${name}=${value}`)), expected)
})

test('a path, and a certificate with its key', () => {
  const given = parseArguments(['--path', '/tmp/s', '--cert', 'c.pem', '--key', 'k.pem'])
  assert.deepEqual(given, {
    name: 'serve',
    listen: { path: '/tmp/s', tls: { cert: 'c.pem', key: 'k.pem' } },
    limits: {},
  })
  assert.throws(() => parseArguments(['--path', '/tmp/s', '--port', '1']), /--path is a Unix socket, which has no port/)
  assert.throws(() => parseArguments(['--cert', 'c.pem']), /--cert and --key belong together/)
})

test('acceptors, and how they drain', () => {
  const place = { port: 9001, host: '127.0.0.1' }
  const listen = (...args: string[]): unknown => Object(parseArguments(args)).listen
  assert.deepEqual(listen('--acceptors', 'auto'), { ...place, acceptors: 'auto' })
  const drain = ['--drain-after', '1s', '--drain-over', '0']
  assert.deepEqual(listen('--acceptors=3', ...drain), { ...place, acceptors: 3, drainAfter: 1000, drainOver: 0 })
  assert.deepEqual(listen(...drain), { ...place, drainAfter: 1000, drainOver: 0 }) // of the end, without acceptors
})

test('the last of two wins', () => {
  const command = parseArguments(['--port', '1', '--port', '2'])
  assert.equal(command.name === 'serve' && command.listen.port, 2)
})

test('help and version', () => {
  for (const args of [['--help'], ['-h'], ['--port', '1', '-h'], ['-hv']]) {
    assert.deepEqual(parseArguments(args), { name: 'help' })
  }
  for (const args of [['--version'], ['-v']]) assert.deepEqual(parseArguments(args), { name: 'version' })
})

const mistakes: readonly (readonly [args: string, message: RegExp])[] = [
  ['--prot 9001', /^there is no option --prot: did you mean --port\?$/],
  ['--hostname x', /^there is no option --hostname: did you mean --host\?$/],
  ['--max-payload 1k', /^there is no option --max-payload: did you mean --max-message\?$/],
  ['--workers 2', /^there is no option --workers: did you mean --acceptors\?$/],
  ['--maxMessage 1k', /^there is no option --maxMessage: did you mean --max-message\?$/],
  ['benhc', /^there is no command "benhc": did you mean bench\?$/],
  ['-x', /^there is no option -x$/],
  ['--no-port', /^there is no option --no-port$/],
  ['--__proto__ 1', /^there is no option --__proto__$/],
  ['--constructor', /^there is no option --constructor$/],
  ['serve', /^there is no command "serve"$/],
  ['bench', /^bench needs an address, such as ws:/],
  ['--port 1 extra', /^there is no command "extra"$/],
  ['-- --port', /^there is no command "--port"$/],
  ['--port', /^--port needs a value$/],
  ['--port --host x', /^--port needs a value$/],
  ['--host=', /^--host needs a value$/],
  ['--help=yes', /^--help takes no value$/],
  ['--port 65536', /^--port: "65536" is not a whole number from 0 to 65535$/],
  ['--port=-1', /^--port: "-1" is not /],
  ['--port 9001.5', /^--port: "9001.5" is not /],
  ['--acceptors 0', /^--acceptors: a server needs at least one/],
  ['--acceptors many', /^--acceptors: "many" is not a whole number from 0 to 1024$/],
  ['--max-message lots', /^--max-message: "lots" is not a size such as /],
  ['--max-message 10s', /^--max-message: "10s" is not a size such as /],
  ['--close-timeout 10', /^--close-timeout: "10" is not a time such as /],
  ['--close-timeout 10MiB', /^--close-timeout: "10MiB" is not a time such as /],
]

for (const [args, message] of mistakes) {
  test(`millrace ${args}`, () => {
    assert.throws(
      () => parseArguments(args.split(' ')),
      (error) => error instanceof UsageError && message.test(error.message),
    )
  })
}

test('the help names every limit with its default, and fits a terminal', () => {
  const help = helpText('1.2.3')
  assert.match(help, /^millrace 1\.2\.3: /)
  for (const limit of Object.keys(defaultLimits).filter((name) => !notForEcho.includes(name))) {
    const flag = `--${limit.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    assert.match(help, new RegExp(`^  ${flag} +\\d+[A-Za-z]* +\\S`, 'm'), `${limit} is no option of the command line`)
  }
  assert.match(help, /--max-message +16MiB /)
  assert.match(help, /--close-timeout +10s /)
  for (const line of help.split('\n')) assert.ok(line.length <= 80, line)
})

test('the examples of the help are understood', () => {
  const examples = [...helpText('').matchAll(/^ {2}millrace(.*?)(?: {2,}|$)/gm)].map(([, args]) => args?.trim() ?? '')
  assert.equal(examples.length, 7)
  for (const example of examples) {
    const [command = '', ...rest] = example.split(' ').filter((word) => word !== '')
    if (command === 'conform') assert.equal(parseConformArguments(rest).name, 'conform')
    else assert.equal(parseArguments([command, ...rest].filter(Boolean)).name, command === 'bench' ? 'bench' : 'serve')
  }
})
