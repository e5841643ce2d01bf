// What the page of `/conform` runs: plain JavaScript, which no compiler sees but the browser's.

export const pageScript = `
'use strict'
const AT_ONCE = 6
const LONGEST = 25000
const ORDER = ['fail', 'non-strict', 'skipped', 'pass']
const WORDS = { pass: 'passed', 'non-strict': 'not strict', fail: 'failed', skipped: 'skipped' }
const byId = (id) => document.getElementById(id)

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties)
  element.append(...children)
  return element
}

/** Sends every message back until the connection has ended. */
function runCase(path) {
  return new Promise((resolve) => {
    const url = (location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + path
    const socket = new WebSocket(url)
    const timer = setTimeout(() => socket.close(), LONGEST)
    socket.binaryType = 'arraybuffer'
    socket.onmessage = ({ data }) => socket.send(data)
    socket.onclose = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

async function json(path) {
  const response = await fetch(path, { headers: { Accept: 'application/json' } })
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}

async function run() {
  document.body.dataset.state = 'running'
  byId('again').hidden = true
  byId('verdict').replaceChildren()
  const { run, cases } = await json(location.pathname + location.search)
  const progress = Object.assign(byId('progress'), { hidden: false, max: cases.length, value: 0 })
  const left = cases.values()
  const work = async () => {
    for (const { id, path } of left) {
      byId('status').textContent = 'Case ' + id + ', ' + progress.value + ' of ' + cases.length + ' done'
      await runCase(path)
      progress.value++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  await new Promise((resolve) => setTimeout(resolve, 500))
  show(await json(location.pathname + '/verdict?run=' + run))
}

function show({ counts, cases, missing, milliseconds }) {
  byId('progress').hidden = true
  byId('again').hidden = false
  byId('status').textContent = cases.length + ' cases in ' + (milliseconds / 1000).toFixed(1) + ' s' +
    (missing.length > 0 && !location.search ? ', ' + missing.length + ' were never begun' : '')
  const tiles = ORDER.toReversed().map((verdict) => make('li', { className: verdict },
    make('b', { textContent: counts[verdict] }), make('span', { textContent: WORDS[verdict] })))
  const tables = ORDER.map((verdict) => [verdict, cases.filter((one) => one.verdict === verdict)])
    .filter(([, those]) => those.length > 0).map(([verdict, those]) => table(verdict, those))
  byId('verdict').replaceChildren(make('ul', { className: 'tiles' }, ...tiles), ...tables)
  document.body.dataset.state = 'done'
}

function table(verdict, cases) {
  const summary = make('summary', {}, make('h2', { className: verdict, textContent: cases.length + ' ' + WORDS[verdict] }))
  const rows = cases.map(({ id, title, rule, expected, came }) => make('tr', {},
    make('td', { className: 'id', textContent: id }),
    make('td', {}, title, make('p', { className: 'quiet', textContent: rule }), ...difference(expected, came))))
  return make('details', { open: verdict === 'fail' || verdict === 'non-strict' }, summary,
    make('table', {}, make('tbody', {}, ...rows)))
}

function difference(expected, came) {
  const pairs = [['expected', expected], [expected === '' ? 'because' : 'came', came]].filter(([, text]) => text !== '')
  const items = pairs.flatMap(([word, text]) => [make('dt', { textContent: word }), make('dd', { textContent: text })])
  return items.length === 0 ? [] : [make('dl', {}, ...items)]
}

function begin() {
  run().catch((error) => {
    byId('status').textContent = 'It could not be run: ' + error.message
    byId('again').hidden = false
    document.body.dataset.state = 'failed'
  })
}

byId('again').onclick = begin
begin()
`
