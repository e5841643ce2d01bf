// The API reference promises every name. What is listed here is what the compiler says is there: a member that is added to one of
// these types and not listed does not compile, and one that is listed must have an entry with an anchor.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { serverOptions } from '../../src/checks/tables.js'
import type { ClusterOptions, Handlers, ListenOptions } from '../../src/index.js'
import {
  connectionMembers,
  largeMembers,
  type Members,
  messageMembers,
  preparedMembers,
  requestMembers,
  serverMembers,
  streamMembers,
} from '../support/publicMembers.js'
import { ROOT } from './program.js'

const folder = join(ROOT, 'docs/api')
const pages = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
const text = pages.join('\n')
const index = readFileSync(join(ROOT, 'docs/api.md'), 'utf8')

const handlers: Members<Handlers> = {
  open: true,
  message: true,
  stream: true,
  largeResult: true,
  refresh: true,
  leftOut: true,
  drain: true,
  ping: true,
  pong: true,
  close: true,
  error: true,
}

const place: Members<ListenOptions> = {
  port: true,
  host: true,
  ipv6Only: true,
  path: true,
  fd: true,
  readableAll: true,
  writableAll: true,
  tls: true,
  proxyProtocol: true,
  http2: true,
}

const cluster: Members<ClusterOptions> = {
  acceptors: true,
  drainAfter: true,
  drainOver: true,
  drainCode: true,
  startTimeout: true,
  stopTimeout: true,
  hangTimeout: true,
  signals: true,
  log: true,
}

/** The names that a module exports. */
function namesIn(source: string): string[] {
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) => list.split(','))
  const own = [...source.matchAll(/^export (?:interface|class|function|type|const) (\w+)/gm)].map(
    ([, name = '']) => name,
  )
  return [...lists.map((name) => name.replace('type ', '').trim()), ...own].filter((name) => name !== '')
}

/** Whether the section of a name has an entry for a member. */
function hasEntry(owner: string, member: string): boolean {
  const from = text.indexOf(`\n## \`${owner}\`\n`)
  const section = text.slice(from, text.indexOf('\n## ', from + 4))
  return new RegExp(`^- \`(?:get )?${member}\\b.*<a id="${owner}-${member}"></a>`, 'im').test(section)
}

describe('the API reference has an entry with an anchor for each member of', () => {
  const all = {
    Server: serverMembers,
    Connection: connectionMembers,
    UpgradeRequest: requestMembers,
    Message: messageMembers,
    LargeMessage: largeMembers,
    PreparedMessage: preparedMembers,
    MessageStream: streamMembers,
    Handlers: handlers,
    ListenOptions: place,
    ClusterOptions: cluster,
  }
  for (const [owner, members] of Object.entries(all)) {
    test(owner, () => {
      for (const member of Object.keys(members)) {
        assert.ok(hasEntry(owner, member), `${owner}.${member}`)
        assert.match(index, new RegExp(`^- \`${member}\`: .*\\(api/\\w+\\.md#${owner}-${member}\\)$`, 'im'))
      }
    })
  }

  test('the options of a server, in one of their sections', () => {
    const limits = ['ServerLimits', 'ConnectionLimits', 'CommonOptions', 'RouteOptions', 'Handlers']
    for (const option of Object.keys(serverOptions.options)) {
      assert.ok(
        limits.some((owner) => hasEntry(owner, option)),
        option,
      )
    }
  })

  test('every name that an entry of the package exports, on its page and in the index', () => {
    const exported = ['index.ts', 'brokers/redisBroker.ts'].flatMap((file) =>
      namesIn(readFileSync(join(ROOT, 'src', file), 'utf8')),
    )
    assert.ok(exported.length > 45)
    for (const name of exported) {
      assert.ok(text.includes(`\n## \`${name}\`\n`), name)
      assert.match(index, new RegExp(`^### \`${name}\`\n\n[A-Z].*\\. \\[More\\]\\(api/\\w+\\.md#[\\w-]+\\)$`, 'm'))
    }
  })

  test('and each anchor is there once', () => {
    const anchors = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id)
    assert.ok(anchors.length > 150)
    assert.equal(new Set(anchors).size, anchors.length)
  })
})
