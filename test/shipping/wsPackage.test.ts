// The package `millrace-ws` in the place of ws: packed, and installed into a project whose dependencies ask for ws. All of
// them get this one, whichever version they ask for and in whichever way they import it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { onlyInFull } from '../support/effort.js'
import { type Installed, install, missing, npm, root } from './installed.js'

const ASKS = { name: 'asks', version: '1.0.0', main: 'index.js', dependencies: { ws: '~8.21.0' } }

const PROGRAM = `import WebSocket, { createWebSocketStream, Receiver, Sender, WebSocketServer } from 'ws'
import { createRequire } from 'node:module'
import asks from 'asks'
import * as millrace from 'millrace/ws'
const require = createRequire(import.meta.url)
const said = [require('ws') === WebSocket, asks === WebSocket, millrace.default === WebSocket, require('ws/package.json').name]
said.push([createWebSocketStream, Receiver, Sender].map((each) => typeof each))
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
server.on('listening', async () => {
  const response = await fetch('http://127.0.0.1:' + server.address().port)
  said.push(response.status, await response.text())
  server.close(() => console.log(JSON.stringify(said)))
})
`

describe('millrace-ws', { skip: onlyInFull || missing('npm') }, () => {
  let installed: Installed
  const inProject = (...path: string[]): string => join(installed.project, ...path)
  const write = (name: string, text: string): void => writeFileSync(inProject(name), text)

  before(
    async () => {
      installed = await install()
      const base = join(installed.project, '..')
      execFileSync(process.execPath, [join(root, 'assembly/wsPackage.mjs'), join(base, 'millrace-ws')])
      await npm(base, ['pack', '--pack-destination', base, join(base, 'millrace-ws')])
      mkdirSync(join(base, 'asks'))
      writeFileSync(join(base, 'asks', 'package.json'), JSON.stringify(ASKS))
      writeFileSync(join(base, 'asks', 'index.js'), "module.exports = require('ws')\n")
      const tarball = readdirSync(base).find((name) => /^millrace-ws-.*\.tgz$/.test(name)) ?? assert.fail()
      const manifest = JSON.parse(readFileSync(inProject('package.json'), 'utf8'))
      Object.assign(manifest.dependencies, { ws: `file:../${tarball}`, asks: 'file:../asks' })
      write('package.json', JSON.stringify({ ...manifest, overrides: { ws: '$ws' } }))
      const flags = ['--offline', '--ignore-scripts', '--no-package-lock', '--install-links']
      await npm(base, ['install', '--prefix', installed.project, ...flags])
    },
    { timeout: 120_000 },
  )
  after(() => installed?.remove())

  test('is the one copy of ws, for who asks for another version, too', () => {
    assert.equal(existsSync(inProject('node_modules/asks/node_modules')), false)
    const { version } = JSON.parse(readFileSync(inProject('node_modules/ws/package.json'), 'utf8'))
    assert.match(version, /^8\.23\.\d+$/)
  })

  test('gives import, require and other packages the objects of millrace/ws, and serves', () => {
    write('program.mjs', PROGRAM)
    const said = execFileSync(process.execPath, [inProject('program.mjs')], { encoding: 'utf8' })
    const functions = ['function', 'function', 'function']
    assert.deepEqual(JSON.parse(said), [true, true, true, 'millrace-ws', functions, 426, 'Upgrade Required'])
  })
})
