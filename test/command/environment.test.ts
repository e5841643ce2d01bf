// A container is told what to do by its environment: every option has a variable, and a wrong one is said by its name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helpText, parseArguments, UsageError } from '../../src/command/arguments.js'
import { variableOf } from '../../src/command/environment.js'

test('every option of the help has a variable, which means the same as the option', () => {
  const samples: Readonly<Record<string, readonly string[]>> = {
    port: ['8000'],
    host: ['::1'],
    path: ['/run/target'],
    'admin-port': ['9090'],
    acceptors: ['2'],
    'drain-code': ['1012'],
    log: ['json'],
    'log-level': ['warn'],
    broker: ['redis://there'],
  }
  const flags = [...helpText('').matchAll(/^ {2}--([a-z-]+) +(\S*)/gm)].map(([, flag = '']) => flag)
  assert.ok(flags.length > 40)
  for (const flag of flags.filter((name) => !['help', 'version', 'cert', 'key'].includes(name))) {
    const values = samples[flag] ?? ['1', '7s', '7']
    const accepted = values.find((value) => !throws(() => parseArguments([`--${flag}=${value}`])))
    const args = accepted === undefined ? [`--${flag}`] : [`--${flag}=${accepted}`]
    const expected = parseArguments(args)
    assert.notDeepEqual(expected, parseArguments([]), `--${flag} changes nothing`)
    assert.deepEqual(parseArguments([], { [variableOf(flag)]: accepted ?? '1' }), expected, flag)
  }
  const certificate = { MILLRACE_CERT: 'c.pem', MILLRACE_KEY: 'k.pem' }
  assert.deepEqual(parseArguments([], certificate), parseArguments(['--cert', 'c.pem', '--key', 'k.pem']))
})

function throws(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch (error) {
    assert.ok(error instanceof UsageError)
    return true
  }
}

test('what is typed goes before the environment', () => {
  const environment = { MILLRACE_PORT: '1', MILLRACE_HOST: '::1', MILLRACE_DEFLATE: 'true' }
  assert.deepEqual(parseArguments(['--port', '2'], environment), {
    name: 'serve',
    listen: { port: 2, host: '::1' },
    limits: {},
    deflate: true,
  })
  assert.deepEqual(Object(parseArguments(['--path', '/s'], environment)).listen, { path: '/s' })
  assert.deepEqual(Object(parseArguments(['--port', '3'], { MILLRACE_PATH: '/s' })).listen, {
    port: 3,
    host: '127.0.0.1',
  })
})

test('an empty variable, a flag that is off, and what Kubernetes sets for a service are as if they were absent', () => {
  const environment = {
    MILLRACE_PORT: 'tcp://10.0.0.1:9001',
    MILLRACE_HOST: '',
    MILLRACE_FAULTS: '0',
    MILLRACE_ADMIN: 'no',
  }
  assert.deepEqual(parseArguments([], environment), parseArguments([]))
})

test('a wrong variable is said by its name', () => {
  const cases: readonly (readonly [environment: NodeJS.ProcessEnv, message: RegExp])[] = [
    [{ MILLRACE_PORT: '70000' }, /^MILLRACE_PORT: "70000" is not a whole number from 0 to 65535$/],
    [{ MILLRACE_MAX_MESSAGE: 'lots' }, /^MILLRACE_MAX_MESSAGE: "lots" is not a size/],
    [{ MILLRACE_FAULTS: 'perhaps' }, /^MILLRACE_FAULTS must be 1 or 0, not "perhaps"$/],
    [{ MILLRACE_BOUND_RATE: '0' }, /^MILLRACE_BOUND_RATE: it must be at least 1$/],
    [{ MILLRACE_DRAIN_CODE: '1000' }, /^MILLRACE_DRAIN_CODE: it is 1001 or 1012$/],
    [{ MILLRACE_LOG: 'xml' }, /^MILLRACE_LOG: "xml" is none of text, json, pretty$/],
  ]
  for (const [environment, message] of cases)
    assert.throws(
      () => parseArguments([], environment),
      (error) => error instanceof UsageError && message.test(error.message),
    )
})

test('help and version are asked for by arguments only', () => {
  assert.equal(parseArguments([], { MILLRACE_HELP: '1', MILLRACE_VERSION: '1' }).name, 'serve')
})
