// A limit is written once, in a table. The interfaces keep their docstrings, which is what people read, and the documents
// their sentences: here all of them are compared with the table, in both directions.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RedisBrokerOptions } from '../../src/brokers/redisBroker.js'
import { type connectionLimits, limits, type serverLimits } from '../../src/checks/limits.js'
import {
  closeQuantities,
  clusterQuantities,
  deflateQuantities,
  historyQuantities,
  largeQuantities,
  presenceQuantities,
  type Quantity,
  redisQuantities,
  routeQuantities,
  topicQuantities,
} from '../../src/checks/quantities.js'
import type { DeflateOptions } from '../../src/connection/deflateSettings.js'
import type {
  CloseOptions,
  ClusterOptions,
  ConnectionLimits,
  LargeOptions,
  RouteOptions,
  ServerLimits,
} from '../../src/index.js'
import { defaultLimits } from '../../src/server/options.js'
import { read, sourcesIn } from '../structure/source.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
/** The options of a type that are numbers. */
type Numbers<Options> = { [N in keyof Options]-?: NonNullable<Options[N]> extends number ? N : never }[keyof Options]

/** Compiles only if the names are the same. */
function same<Names, Keys>(...proof: Same<Names, Keys> extends true ? [] : [never]): void {
  assert.deepEqual(proof, [])
}

test('each number of an interface is in its table, and each of a table in its interface', () => {
  same<keyof typeof connectionLimits, keyof ConnectionLimits>()
  same<keyof typeof limits, keyof ServerLimits>()
  same<keyof typeof serverLimits, Exclude<keyof ServerLimits, keyof ConnectionLimits>>()
  same<keyof typeof routeQuantities, Exclude<Numbers<RouteOptions>, keyof ConnectionLimits>>()
  same<keyof typeof largeQuantities, Numbers<LargeOptions>>()
  same<keyof typeof deflateQuantities, Numbers<DeflateOptions>>()
  same<keyof typeof clusterQuantities, Numbers<ClusterOptions> | 'acceptors'>() // a number, or 'auto'
  same<keyof typeof closeQuantities, Exclude<Numbers<CloseOptions>, 'code'>>()
  same<keyof typeof redisQuantities, Numbers<RedisBrokerOptions>>()
})

test('the defaults of a server are those of the table', () => {
  assert.deepEqual(
    defaultLimits,
    Object.fromEntries(Object.entries(limits).map(([name, { byDefault }]) => [name, byDefault])),
  )
})

/** A default as people write it: 16 MiB, 131,072 or 131072. */
function written({ unit, byDefault = 0 }: Quantity): RegExp {
  const ways = [byDefault.toLocaleString('en-US'), String(byDefault)]
  for (const [name, factor] of [
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (unit === 'bytes' && byDefault > 0 && byDefault % factor === 0) ways.push(`${byDefault / factor} ${name}`)
  }
  return new RegExp(`^(?:${ways.join('|')})(?![\\d,]*\\d)`)
}

/** Defaults that are no number of their own. */
const derived: Readonly<Record<string, RegExp>> = {
  maxConnectionsPerAddress: /^7\/8 of `maxConnections`, rounded up/,
  threads: /^the (?:number of )?processors/,
  acceptors: /^none/,
}

/** The docstrings of an interface's own members, and of those that it extends. */
function docstringsOf(name: string): Map<string, string> {
  const found = new Map<string, string>()
  const declaration = new RegExp(`^(?:export )?(?:interface|type) ${name}\\b([^{]*)\\{\\n([\\s\\S]*?)^\\}`, 'm')
  const match = sourcesIn('src').flatMap((path) => declaration.exec(read(path)) ?? [])
  const [, head = '', body = ''] = match
  assert.ok(body !== '', `no file declares ${name}`)
  for (const [base] of head.matchAll(/\b[A-Z]\w+/g)) {
    for (const [member, words] of docstringsOf(base)) found.set(member, words)
  }
  for (const [, words = '', member = ''] of body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+readonly (\w+)\??:/g)) {
    found.set(member, words.replaceAll(/\s*\n\s*\* ?/g, ' ').trim())
  }
  return found
}

describe('the docstrings say the default and the least of', () => {
  const tables: readonly (readonly [name: string, Readonly<Record<string, Quantity>>])[] = [
    ['ServerLimits', limits],
    ['LargeOptions', largeQuantities],
    ['DeflateOptions', deflateQuantities],
    ['ClusterOptions', clusterQuantities],
    ['CloseOptions', closeQuantities],
    ['RedisBrokerOptions', redisQuantities],
    ['PresenceOptions', presenceQuantities],
    ['TopicsOptions', topicQuantities],
    ['HistoryOptions', historyQuantities],
  ]
  for (const [owner, table] of tables) {
    const docstrings = docstringsOf(owner)
    for (const [name, quantity] of Object.entries(table)) {
      test(`${owner}.${name}`, () => {
        const words = docstrings.get(name) ?? ''
        const [, byDefault = ''] = /\bdefault:? (?:is )?(.*)$/i.exec(words) ?? []
        assert.match(byDefault, derived[name] ?? written(quantity), words)
        const [, least] = /\bAt least ([\d,]*\d)[.,] /.exec(words) ?? []
        if (quantity.unit !== 'code') assert.equal(Number((least ?? '0').replaceAll(',', '')), quantity.least, words)
      })
    }
  }
})

test('and of the numbers of a route', () => {
  const source =
    sourcesIn('src')
      .map(read)
      .find((text) => text.includes('export type RouteOptions<')) ?? ''
  for (const [name, quantity] of Object.entries<Quantity>(routeQuantities)) {
    const [, words = ''] = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s+readonly ${name}\\?: number`).exec(source) ?? []
    const [, byDefault = ''] = /\bdefault:? (?:is )?(.*)$/im.exec(words) ?? []
    assert.match(byDefault, written(quantity), words)
  }
})

describe('the documents say the same', () => {
  test('docs/limits.md and docs/errors.md are written from their tables', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'docs/tables.mjs'), '--check'], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
  })

  for (const [document, table] of [
    ['docs/large-messages.md', largeQuantities],
    ['docs/cluster.md', clusterQuantities],
    ['docs/brokers.md', redisQuantities],
    ['docs/topics.md', { ...topicQuantities, ...historyQuantities, ...presenceQuantities }],
  ] as const) {
    test(document, () => {
      for (const [name, quantity] of Object.entries<Quantity>(table)) {
        const row = new RegExp(`^\\| \`${name}\` \\|.*$`, 'm').exec(read(document))?.[0] ?? ''
        const said = row.split('|').some((cell) => (derived[name] ?? written(quantity)).test(cell.trim()))
        assert.ok(said, `${name}: ${row}`)
      }
    })
  }

  test('README.md, in its short list', () => {
    const text = read('README.md')
    const short = text.slice(text.indexOf('## Limits in short'), text.indexOf('## Private API'))
    const words = [
      `${limits.maxMessage.byDefault / 2 ** 20} MiB`,
      `${limits.payloadMemory.byDefault / 2 ** 20} MiB`,
      `${limits.outputLimit.byDefault / 2 ** 20} MiB`,
      `${limits.handshakeTimeout.byDefault / 1000} seconds`,
      `${limits.idleTimeout.byDefault / 60_000} minutes`,
      limits.maxConnections.byDefault.toLocaleString('en-US'),
    ]
    for (const word of words) assert.ok(short.includes(word), word)
  })
})
