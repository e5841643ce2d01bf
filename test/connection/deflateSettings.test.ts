// A route says of compression what it wants to have otherwise than the server, and `upgrade` what it wants otherwise for one
// connection. Off is off, wherever it is said last.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DeflateOptions, type DeflateSettings, deflateSettings } from '../../src/connection/deflateSettings.js'
import { Windows } from '../../src/memory/windows.js'

const plain = settings(true)

/** The settings of a server with this option. */
function settings(given: true | DeflateOptions): DeflateSettings {
  const made = deflateSettings(given, undefined)
  assert.ok(made !== undefined)
  return made
}

test('compression is off unless it is asked for', () => {
  assert.equal(deflateSettings(undefined, undefined), undefined)
  assert.equal(deflateSettings(false, undefined), undefined)
})

test('true stands for the defaults, and so does an object without members', () => {
  assert.deepEqual(plain, {
    parameters: {
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 12,
      clientMaxWindowBits: 12,
    },
    level: 'fast',
    threshold: 64,
    windows: new Windows(256 * 1024 * 1024),
  })
  assert.deepEqual(settings({}), plain)
})

describe('each member has its effect, and no other', () => {
  const rows: readonly (readonly [given: DeflateOptions, parameters: Partial<DeflateSettings['parameters']>])[] = [
    [{ contextTakeover: false }, { serverNoContextTakeover: true, clientNoContextTakeover: true }],
    [{ contextTakeover: true }, {}],
    [{ contextTakeover: { server: false } }, { serverNoContextTakeover: true }],
    [{ contextTakeover: { client: false } }, { clientNoContextTakeover: true }],
    [{ contextTakeover: { server: true, client: false } }, { clientNoContextTakeover: true }],
    [{ windowBits: 9 }, { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }],
    [{ windowBits: { server: 10 } }, { serverMaxWindowBits: 10 }],
    [{ windowBits: { client: 8 } }, { clientMaxWindowBits: 8 }],
    [{ windowBits: { server: 8, client: 15 } }, { serverMaxWindowBits: 8, clientMaxWindowBits: 15 }],
  ]
  for (const [given, parameters] of rows) {
    test(JSON.stringify(given), () =>
      assert.deepEqual(settings(given), { ...plain, parameters: { ...plain.parameters, ...parameters } }),
    )
  }

  for (const given of [{ threshold: 0 }] as const) {
    test(JSON.stringify(given), () => assert.deepEqual(settings(given), { ...plain, ...given }))
  }
})

test('memory is counted together by all who do not name their own', () => {
  const server = settings({ memory: 5000 })
  assert.equal(server.windows.most, 5000)
  assert.equal(deflateSettings({ threshold: 1 }, server)?.windows, server.windows)
  const own = deflateSettings({ memory: 5000 }, server)
  assert.ok(own !== undefined && own.windows !== server.windows)
  assert.equal(own.windows.most, 5000)
  assert.equal(settings({}).windows, plain.windows)
})

describe('what is said later', () => {
  const base = settings({
    contextTakeover: { client: false },
    windowBits: { server: 9 },
    threshold: 1024,
  })

  test('is off, or as before', () => {
    assert.equal(deflateSettings(false, base), undefined)
    assert.deepEqual(deflateSettings(undefined, base), base)
    assert.deepEqual(deflateSettings(true, base), base)
    assert.deepEqual(deflateSettings({}, base), base)
  })

  test('changes what it names, in one direction or both', () => {
    assert.deepEqual(deflateSettings({ threshold: 1 }, base), { ...base, threshold: 1 })
    assert.deepEqual(deflateSettings({ contextTakeover: { server: false } }, base), {
      ...base,
      parameters: { ...base.parameters, serverNoContextTakeover: true },
    })
    assert.deepEqual(deflateSettings({ contextTakeover: true, windowBits: { client: 11 } }, base), {
      ...base,
      parameters: { ...base.parameters, clientNoContextTakeover: false, clientMaxWindowBits: 11 },
    })
  })

  test('is on after it was off, with the defaults', () => {
    assert.deepEqual(deflateSettings(true, deflateSettings(false, base)), plain)
  })
})
