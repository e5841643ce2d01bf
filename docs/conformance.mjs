// Runs all cases against the servers and clients of the tables in docs/conformance.md, and writes the tables anew:
// `npm run docs:conformance`. It needs what the benchmarks install, Bun (BUN), Chromium (CHROMIUM) and python3-websockets
// (PYTHON); a peer that is not there keeps its row.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { selectCases } from '../dist/src/conform/cases.js'
import { problemOf } from '../dist/src/conform/probe.js'
import { jsonReport } from '../dist/src/conform/reports/json.js'
import { runCases } from '../dist/src/conform/run.js'
import { startTarget } from '../dist/src/target/target.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const document = new URL('conformance.md', import.meta.url)
const { BUN = 'bun', PYTHON = 'python3', CHROMIUM = '/usr/bin/chromium' } = process.env
const node = process.execPath
const own = versionIn('package.json')

function versionIn(manifest) {
  return JSON.parse(readFileSync(new URL(`../${manifest}`, import.meta.url), 'utf8')).version
}

function printed(command, args) {
  return execFileSync(command, args, { cwd: root, timeout: 30_000 }).toString().trim().split('\n').at(-1)
}

const python = (...args) => [PYTHON, ['bench/conform/echo.py', ...args]]
const servers = [
  ['millrace', () => own, (port) => [node, ['bench/peers/millrace.mjs', port, 'deflate']]],
  ['ws', () => versionIn('node_modules/ws/package.json'), (port) => [node, ['bench/peers/ws.mjs', port, 'deflate']]],
  [
    'uWebSockets.js',
    () => printed(node, ['bench/peers/uws.mjs', 'version']).split(' ').at(-1),
    (port) => [node, ['bench/peers/uws.mjs', port, 'deflate']],
  ],
  ['Bun', () => printed(BUN, ['--version']), (port) => [BUN, ['bench/peers/bun.mjs', port, 'deflate']]],
  ['websockets (Python)', () => printed(...python('version', '-')), (port) => python('serve', port)],
]
const clients = [
  ['millrace', () => own, (base) => [node, ['bench/conform/client.mjs', base, 'millrace']]],
  ['ws', () => versionIn('node_modules/ws/package.json'), (base) => [node, ['bench/conform/client.mjs', base, 'ws']]],
  [
    'undici',
    () => versionIn('node_modules/undici/package.json'),
    (base) => [node, ['bench/conform/client.mjs', base, 'undici']],
  ],
  ['Bun', () => printed(BUN, ['--version']), (base) => [BUN, ['bench/conform/client.mjs', base, 'bun']]],
  ['Chromium', () => printed(CHROMIUM, ['--version']).replace(/^Chromium (\S+).*/, '$1'), undefined],
  ['websockets (Python)', () => printed(...python('version', '-')), (base) => python('client', base)],
]

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function testServer([, , command]) {
  const port = await freePort()
  const [program, args] = command(String(port))
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve)
      child.once('error', reject)
      child.once('exit', () => reject(new Error('it has ended')))
    })
    const target = { url: new URL(`ws://127.0.0.1:${port}/`), headers: {} }
    const problem = await problemOf(target, 10_000)
    if (problem !== undefined) throw new Error(problem)
    const cases = selectCases({ side: 'server' })
    return jsonReport({
      subject: '',
      outcomes: await runCases({ target, cases, parallel: 4, timeout: 12_000 }),
      strict: false,
      milliseconds: 0,
    })
  } finally {
    child.kill('SIGKILL')
  }
}

async function testClient([name, , command], target) {
  const base = target.httpUrl.slice('http://'.length)
  const run = name === 'Chromium' ? await inChromium(target) : await output(...command(base))
  return (await fetch(`${target.httpUrl}/conform/verdict?run=${run}`)).json()
}

function output(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.on('data', (chunk) => (text += chunk))
    child.once('error', reject)
    child.once('close', () => resolve(text.trim().split('\n').at(-1)))
  })
}

async function inChromium(target) {
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  })
  try {
    const page = await browser.newPage()
    const verdict = page.waitForRequest(/\/verdict\?run=/, { timeout: 300_000 })
    await page.goto(`${target.httpUrl}/conform`)
    return new URL((await verdict).url()).searchParams.get('run')
  } finally {
    await browser.close()
  }
}

/** `5.1 (12), 8.1 (3)`: the sections of the cases with this verdict. */
function sections(cases, wanted) {
  const counts = new Map()
  for (const { section, verdict } of cases) if (verdict === wanted) counts.set(section, (counts.get(section) ?? 0) + 1)
  return [...counts].map(([section, count]) => `${section} (${count})`).join(', ')
}

function row(name, version, { counts, cases }) {
  const cells = [name, version, counts.pass, counts['non-strict'], counts.fail, counts.skipped]
  return `| ${[...cells, sections(cases, 'fail'), sections(cases, 'non-strict')].join(' | ')} |`
}

async function rowsOf(peers, test, text) {
  const rows = []
  for (const peer of peers) {
    const [name, version] = peer
    try {
      rows.push(row(name, version(), await test(peer)))
      console.log(rows.at(-1))
    } catch (error) {
      console.error(`${name} keeps its row: ${error.message.split('\n', 1)[0]}`)
      const kept = text.split('\n').find((line) => line.startsWith(`| ${name} |`))
      if (kept !== undefined) rows.push(kept)
    }
  }
  return rows
}

function replaced(text, name, rows) {
  const head =
    '|  | version | passed | not strict | failed | skipped | failed, by section | not strict, by section |\n|---|---|--:|--:|--:|--:|---|---|'
  const [before, rest] = text.split(`<!-- ${name} -->\n`)
  const after = rest.slice(rest.indexOf(`<!-- end of ${name} -->`))
  return `${before}<!-- ${name} -->\n\n${[head, ...rows].join('\n')}\n\n${after}`
}

function part(text, name) {
  return text.slice(text.indexOf(`<!-- ${name} -->`), text.indexOf(`<!-- end of ${name} -->`))
}

let text = readFileSync(document, 'utf8')
const only = process.argv.slice(2)
if (only.length === 0 || only.includes('servers'))
  text = replaced(text, 'servers', await rowsOf(servers, testServer, part(text, 'servers')))
if (only.length === 0 || only.includes('clients')) {
  const target = await startTarget()
  text = replaced(text, 'clients', await rowsOf(clients, (peer) => testClient(peer, target), part(text, 'clients')))
  await target.close()
}
writeFileSync(document, text)
