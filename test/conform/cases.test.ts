// The cases are data, so what holds for all of them can be read off them; and this project's own server passes all, strictly,
// by either transport.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cases, selectCases, shownSection } from '../../src/conform/cases.js'
import { runCases } from '../../src/conform/run.js'
import { createServer } from '../../src/index.js'
import { createEchoServer } from '../support/echoServer.js'
import { effort } from '../support/effort.js'
import { listening } from '../support/serving.js'

const timeout = 120_000

describe('the cases', () => {
  test('are several hundred, each with a number of its own', () => {
    assert.ok(cases.length >= 700, `${cases.length}`)
    assert.equal(new Set(cases.map(({ id }) => id)).size, cases.length)
    for (const { id, section } of cases) assert.ok(id.startsWith(`${section}/`), id)
  })

  test('say what they are about in sentences, and name a section', () => {
    for (const { id, title, rule, section } of cases) {
      assert.match(rule, /^[A-Z].*\.$/, id)
      assert.notEqual(title, '', id)
      assert.match(section, /^(?:7692-)?\d+(?:\.\d+)*$/, id)
    }
    assert.equal(shownSection('7692-7.2.1'), 'RFC 7692, section 7.2.1')
    assert.equal(shownSection('5.5.1'), 'RFC 6455, section 5.5.1')
  })

  test('no two of a section have the same title', () => {
    const names = cases.map(({ section, title, side }) => `${section} ${side} ${title}`)
    assert.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
    )
  })

  test('are in the order of the sections', () => {
    const sections = [...new Set(cases.map(({ section }) => section))]
    assert.ok(sections.indexOf('5.5.3') < sections.indexOf('10.4'))
    assert.ok(sections.indexOf('10.4') < sections.indexOf('7692-5'))
    assert.equal(sections.length, new Set(sections).size)
  })

  test('are selected by section, and by number', () => {
    const of = (...only: string[]): Set<string> =>
      new Set(selectCases({ side: 'server', only }).map(({ section }) => section))
    assert.deepEqual(of('5.5'), new Set(['5.5', '5.5.1', '5.5.2', '5.5.3']))
    assert.deepEqual(of('5.5.1'), new Set(['5.5.1']))
    assert.ok(of('7692').has('7692-7.2.2') && !of('7692').has('5.2'))
    assert.equal(selectCases({ side: 'server', only: ['5.2/3'] }).length, 1)
    assert.equal(selectCases({ side: 'server', only: ['99'] }).length, 0)
    assert.ok(selectCases({ side: 'client' }).every(({ side }) => side !== 'server'))
    const heavy = selectCases({ side: 'server', heavy: true }).length - selectCases({ side: 'server' }).length
    assert.equal(heavy, cases.filter((one) => one.heavy === true && one.side !== 'client').length)
  })
})

describe('millrace keeps them all', () => {
  for (const publicApi of [false, true]) {
    test(publicApi ? 'by the public API' : 'at the handle', { timeout }, async (t) => {
      const server = publicApi
        ? createServer({ publicApi, deflate: true, message: (connection, message) => void connection.send(message) })
        : createEchoServer({}, { deflate: true })
      await listening(t, server)
      const all = selectCases({ side: 'server', heavy: effort({ quick: false, full: true }) })
      const some = effort({ quick: all.filter((_, at) => at % 4 === (publicApi ? 1 : 0)), full: all })
      const url = new URL(`ws://127.0.0.1:${server.address?.port}/`)
      const outcomes = await runCases({ target: { url, headers: {} }, cases: some, parallel: 8, timeout: 20_000 })
      assert.deepEqual(
        outcomes.filter(({ verdict }) => verdict !== 'pass').map(({ case: one, came }) => `${one.id}: ${came}`),
        [],
      )
      assert.equal(outcomes.length, some.length)
    })
  }
})
