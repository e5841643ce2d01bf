// Each connection has a name of its own, in whichever process it is.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { identityOf } from '../../src/connection/identity.js'
import { connections } from '../support/connections.js'

test('a connection keeps its name, also after its end, and no other has it', () => {
  const { connect } = connections({})
  const members = Array.from({ length: 100 }, () => connect().peer)
  const names = members.map(({ id }) => id)
  assert.equal(new Set(names).size, 100)
  for (const peer of members) peer.terminate()
  assert.deepEqual(
    members.map(({ id }) => id),
    names,
  )
  for (const name of names) assert.match(name, /^[\w-]+\.[0-9a-z]+$/)
})

test('another process gives other names', () => {
  const url = new URL('../../src/connection/identity.js', import.meta.url).href
  const program = `import { identityOf } from '${url}'; process.stdout.write(identityOf({}))`
  const other = execFileSync(process.execPath, ['--input-type=module', '-e', program]).toString()
  assert.match(other, /^[\w-]{16}\.0$/)
  assert.notEqual(other.split('.')[0], identityOf({}).split('.')[0])
})
