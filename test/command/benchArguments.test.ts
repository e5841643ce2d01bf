// A benchmark that measures something else than was typed is worse than none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseArguments, UsageError } from '../../src/command/arguments.js'
import { benchHelpText } from '../../src/command/bench/help.js'

const ADDRESS = 'ws://127.0.0.1:9001'

function parse(args: string) {
  return parseArguments(['bench', ...args.split(' ').filter((word) => word !== '')])
}

function loadOf(args: string) {
  const command = parse(args)
  assert.equal(command.name, 'bench')
  return command.name === 'bench'
    ? { ...command.load, url: command.load.url.href, json: command.output.json }
    : undefined
}

const defaults = {
  url: `${ADDRESS}/`,
  connections: 100,
  size: 16,
  pipeline: 1,
  duration: 10,
  warmup: 1,
  kind: 'binary',
  verify: false,
  sequence: true,
  rate: 0,
  json: false,
}

test('nothing asked for is the defaults', () => assert.deepEqual(loadOf(ADDRESS), defaults))

test('every option is taken, before and after the address', () => {
  const args = '--connections 7 --size=16KiB --pipeline 16'
  const expected = { ...defaults, connections: 7, size: 16_384, pipeline: 16, duration: 2.5, warmup: 0 }
  assert.deepEqual(loadOf(`${args} ${ADDRESS} --duration 2.5 --warmup 0 --utf8 --verify --json`), {
    ...expected,
    kind: 'utf8',
    verify: true,
    json: true,
  })
  assert.deepEqual(loadOf(`${ADDRESS} --rate 5000 --text --duration 500ms`), {
    ...defaults,
    rate: 5000,
    kind: 'text',
    duration: 0.5,
  })
  const { kind, verify } = loadOf(`${ADDRESS} --deflate --verify --size 0`) ?? {}
  assert.deepEqual({ kind, verify }, { kind: 'deflate', verify: true })
})

for (const [address, url] of [
  ['localhost:9001', 'ws://localhost:9001/'],
  ['127.0.0.1:80/chat?a=b', 'ws://127.0.0.1/chat?a=b'],
  ['http://localhost:3000', 'ws://localhost:3000/'],
  ['https://example.com/echo', 'wss://example.com/echo'],
  ['WSS://example.com', 'wss://example.com/'],
  ['[::1]:9001', 'ws://[::1]:9001/'],
]) {
  test(`the address ${address}`, () => assert.equal(loadOf(address ?? '')?.url, url))
}

for (const [args, message] of [
  ['', /^bench needs an address, such as ws:\/\/127\.0\.0\.1:9001$/],
  [`${ADDRESS} --header nothing`, /^--header: "nothing" is not 'Name: value'$/],
  [`${ADDRESS} --header Host:x`, /^the handshake sets Host itself$/],
  [`${ADDRESS} --cookie =x`, /^--cookie: "=x" is not name=value$/],
  [`${ADDRESS} --tls-ca nowhere.pem`, /^--tls-ca: ENOENT/],
  ['ftp://a', /^"ftp:\/\/a" is not an address such as /],
  ['ws://a:99999', /^"ws:\/\/a:99999" is not an address such as /],
  ['ws://', /is not an address/],
  [`${ADDRESS} --conections 1`, /^there is no option --conections: did you mean --connections\?$/],
  [`${ADDRESS} --port 1`, /^there is no option --port$/],
  [`${ADDRESS} --connections 0`, /^--connections: "0" is not a whole number from 1 to /],
  [`${ADDRESS} --pipeline 0`, /^--pipeline: "0" is not a whole number from 1 to /],
  [`${ADDRESS} --pipeline 1.5`, /^--pipeline: "1\.5" is not a whole number from /],
  [`${ADDRESS} --size lots`, /^--size: "lots" is not a size such as /],
  [`${ADDRESS} --size 2GiB`, /^--size: "2GiB" is more than 1GiB$/],
  [`${ADDRESS} --duration soon`, /^--duration: "soon" is not a time such as /],
  [`${ADDRESS} --duration 0`, /^--duration must be more than 0$/],
  [`${ADDRESS} --duration 1000h`, /^--duration: "1000h" is more than a week$/],
  [`${ADDRESS} --duration`, /^--duration needs a value$/],
  [`${ADDRESS} --json=yes`, /^--json takes no value$/],
  [`${ADDRESS} --text --utf8`, /^--text and --utf8 are two kinds of messages: use one$/],
  [
    `${ADDRESS} --rate 10 --pipeline 2`,
    /^--rate sends on a schedule, and --pipeline sends when answers arrive: use one$/,
  ],
] as const) {
  test(`millrace bench ${args}`, () => {
    assert.throws(
      () => parse(args),
      (error) => error instanceof UsageError && message.test(error.message),
    )
  })
}

test('patterns', () => {
  for (const [args, expected] of [
    ['--reply 0', { name: 'reply', answers: 0 }],
    ['--reply 3 --rate 5', { name: 'reply', answers: 3 }],
    ['--fanout news', { name: 'fanout', topic: 'news' }],
    ['--connect 50', { name: 'connect', rate: 50, ramp: 0 }],
    ['--connect 50 --ramp 2', { name: 'connect', rate: 50, ramp: 2 }],
    ['--churn 50 --ramp 500ms --verify', { name: 'churn', rate: 50, ramp: 0.5 }],
    ['--match json:a.b', { name: 'match', field: 'a.b' }],
    ['--match json:id --message {"a":1}', { name: 'match', field: 'id', message: '{"a":1}' }],
  ] as const) {
    assert.deepEqual(loadOf(`${ADDRESS} ${args}`)?.pattern, expected, args)
  }
  const command = parse(`${ADDRESS} --script load.mjs --rate 5`)
  assert.equal(command.name === 'bench' && command.script, 'load.mjs')
})

test('what does not go with a pattern is refused, and what it lacks', () => {
  for (const [args, message] of [
    ['--reply 1 --fanout x', /^--reply and --fanout are two patterns: use one$/],
    ['--reply -1', /^--reply needs a value$/],
    ['--reply x', /^--reply: "x" is not/],
    ['--reply 1 --verify', /^--reply has no use for --verify: leave it out$/],
    ['--fanout x --deflate', /^--fanout has no use for --deflate/],
    ['--fanout x --size 15', /^--fanout stamps its messages, which takes 16 bytes: use a larger --size$/],
    ['--fanout x --text --size 41', /takes 42 bytes/],
    ['--connect 5 --rate 5', /^--connect has no use for --rate/],
    ['--connect 0', /^--connect: "0" is not/],
    ['--churn 5 --pipeline 2', /^--churn has no use for --pipeline/],
    ['--churn 5 --ramp x', /^--ramp: "x" is not/],
    ['--ramp 5', /^--ramp is for --connect and --churn$/],
    ['--fanout x --ramp 5', /^--ramp is for --connect and --churn$/],
    ['--message {}', /^--message is for --match$/],
    ['--match id', /^--match: "id" is not such as json:id$/],
    ['--match json:a..b', /^--match: "a\.\.b" is not a field such as id/],
    ['--match json:id --message []', /^--message: the message is not an object/],
    ['--match json:id --message {', /^--message: the message is not JSON/],
    ['--script x --size 5', /^--script has no use for --size/],
  ] as const) {
    assert.throws(
      () => parse(`${ADDRESS} ${args}`),
      (error) => error instanceof UsageError && message.test(error.message),
      args,
    )
  }
})

test('help, whatever else is asked for', () => {
  for (const args of ['--help', '-h', `${ADDRESS} --size 1 -h`]) assert.deepEqual(parse(args), { name: 'benchHelp' })
})

test('the help fits a terminal, and its examples are understood', () => {
  for (const line of benchHelpText.split('\n')) assert.ok(line.length <= 80, line)
  const examples = [...benchHelpText.matchAll(/^ {2}millrace bench (.*?)(?: {2,}|$)/gm)].map(([, args]) => args ?? '')
  assert.equal(examples.length, 4)
  for (const example of examples) assert.equal(parse(example).name, 'bench')
})

test('the first screen says what the two loops are, and from when a message is charged', () => {
  const first = benchHelpText.split('\n').slice(0, 24).join(' ')
  for (const words of [/closed loop/i, /open loop/i, /charges each message from the moment at which it was due/])
    assert.match(first, words)
})

test('several addresses, and how they are reached', () => {
  const { more, reach } = loadOf(`${ADDRESS} localhost:1 --header A:1 --header A:2 --cookie a=b --cookie c=d=e`) ?? {}
  assert.deepEqual(
    more?.map(({ href }) => href),
    ['ws://localhost:1/'],
  )
  assert.deepEqual(reach, { headers: { A: ['1', '2'] }, cookies: { a: 'b', c: 'd=e' } })
  const other = loadOf('--unix /tmp/socket --subprotocol a,b --origin http://x --insecure')
  assert.equal(other?.url, 'ws://localhost/')
  assert.deepEqual(other?.reach, {
    protocols: ['a', 'b'],
    origin: 'http://x',
    unix: '/tmp/socket',
    tls: { rejectUnauthorized: false },
  })
})
