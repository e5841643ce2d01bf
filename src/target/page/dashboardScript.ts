// What the dashboard does: takes what the server has counted, once a second, and draws how that changes. It also measures
// its own round trips. It runs in the browser, so it is plain JavaScript.
export const dashboardScript = `
{
const SECONDS = 120
const PROBES = 240
const TIERS = ['7bit', '16bit', '64bit']
const LATENCIES = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, Infinity]
const dark = matchMedia('(prefers-color-scheme: dark)')
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()
const sumOf = (object) => Object.values(object).reduce((sum, value) => sum + value, 0)
const whole = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const number = (value) => value == null ? '–' : whole.format(value)
const percent = (value) => value == null ? '–' : value.toFixed(value < 10 ? 1 : 0) + ' %'
const milliseconds = (value) => value == null ? '–' : (value < 10 ? value.toFixed(1) : value.toFixed(0)) + ' ms'
const clock = (at) => new Date(at * 1000).toLocaleTimeString('en-GB')
function bytes(value) {
  if (value == null) return '–'
  const at = value < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10))
  const scaled = value / 1024 ** at
  return (at === 0 || scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1)) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][at]
}

// Charts. Each has columns: the time, and a column for each line.
const charts = []
/** A line's name, colour, scale and dash. */
const line = (label, tint, more = {}) => ({ label, tint, ...more })
const bothWays = TIERS.flatMap((tier, at) => [
  line(tier + ' in', 'c' + (at + 1)), line(tier + ' out', 'c' + (at + 1), { dash: [5, 4] }),
])

class Chart {
  constructor(id, lines, format, more = {}) {
    this.place = $('chart-' + id)
    this.lines = lines
    this.format = format
    this.more = more
    this.columns = [[], ...lines.map(() => [])]
    charts.push(this)
    this.draw()
  }
  push(time, values) {
    this.columns[0].push(time)
    for (const [at, value] of values.entries()) this.columns[at + 1].push(value)
    while (this.columns[0].length > SECONDS) for (const column of this.columns) column.shift()
    this.show()
  }
  /** Shows the columns, and in the legend the latest numbers unless somebody points at others. */
  show() {
    this.plot.setData(this.columns)
    if (this.plot.cursor.idx == null) this.plot.setLegend({ idx: this.columns[0].length - 1 })
  }
  /** Other lines: a process has come or gone. */
  become(lines) {
    const kept = new Map(this.lines.map(({ label }, at) => [label, this.columns[at + 1]]))
    const { length } = this.columns[0]
    this.columns = [this.columns[0], ...lines.map(({ label }) => kept.get(label) ?? Array(length).fill(null))]
    this.lines = lines
    this.draw()
  }
  draw() {
    this.plot?.destroy()
    const axis = { stroke: color('quiet'), grid: { stroke: color('line'), width: 1 }, ticks: { show: false }, font: '11px system-ui' }
    const scaled = (scale, format, side) =>
      ({ ...axis, scale, side, size: 62, gap: 4, values: (_, ticks) => ticks.map(format), grid: side === 1 ? { show: false } : axis.grid })
    const { second, paths, times = true, x = {} } = this.more
    this.place.replaceChildren()
    const range = { range: (_, least, most) => [0, most > 0 ? most * 1.05 : 1] }
    this.plot = new uPlot({
      width: this.place.clientWidth, height: 190, padding: [8, second ? 0 : 12, 0, 0],
      cursor: { drag: { x: false, y: false } },
      legend: { live: true },
      scales: { x: { time: times, ...x }, y: range, ...(second ? { z: range } : {}) },
      axes: [{ ...axis, size: 28, values: (_, ticks) => ticks.map(clock), ...(this.more.axis ?? {}) }, scaled('y', this.format, 3), ...(second ? [scaled('z', second, 1)] : [])],
      series: [
        times ? { label: 'at', value: (_, at) => at == null ? '–' : clock(at) } : this.more.series,
        ...this.lines.map(({ label, tint, dash, scale = 'y' }) => ({
          label, dash, scale, stroke: color(tint), width: 2, points: { show: false }, paths,
          fill: paths ? color(tint) : undefined,
          value: (_, value) => scale === 'z' ? second(value) : this.format(value),
        })),
      ],
    }, this.columns, this.place)
    if (this.more.times !== false && this.columns[0].length > 0) this.plot.setLegend({ idx: this.columns[0].length - 1 })
  }
}

const views = {
  messages: new Chart('messages', bothWays, number),
  bytes: new Chart('bytes', bothWays, bytes),
  connections: new Chart('connections', [line('open', 'c1'), line('opened', 'c2', { scale: 'z' })], number, { second: number }),
  loop: new Chart('loop', [line('busy', 'c1'), line('p50', 'c2', { scale: 'z' }), line('p99', 'c3', { scale: 'z' })], percent, { second: milliseconds }),
  cpu: new Chart('cpu', [], percent),
  memory: new Chart('memory', [], bytes),
  topics: new Chart('topics', [line('published', 'c1'), line('delivered', 'c2')], number),
  latency: new Chart('latency', [line('round trips', 'c1')], number, {
    times: false, paths: uPlot.paths.bars({ size: [0.8, 60] }),
    x: { range: [-0.6, LATENCIES.length - 0.4] },
    axis: { splits: () => LATENCIES.map((_, at) => at), values: (_, ticks) => ticks.map((at) => at % 2 === 1 || innerWidth > 480 ? latencyName(at, true) : '') },
    series: { label: 'took', value: (_, at) => at == null ? '–' : latencyName(at) },
  }),
}
function latencyName(at, short) {
  const longest = LATENCIES[at] === Infinity
  if (short) return longest ? '>' : String(LATENCIES[at])
  return longest ? '> ' + LATENCIES[at - 1] + ' ms' : '≤ ' + LATENCIES[at] + ' ms'
}

// What has come last, and what it says about the time since the one before.
let last
let processes = ''

function took(metrics) {
  const before = last
  last = metrics
  showTotals(metrics)
  if (before === undefined) return
  const seconds = (metrics.at - before.at) / 1000
  if (seconds <= 0) return
  const rate = (of) => Math.max(0, of(metrics) - of(before)) / seconds
  const byTier = (member) => TIERS.map((tier) => rate((one) => sumOf(one[member][tier])))
  const [messagesIn, messagesOut] = [byTier('messagesReceived'), byTier('messagesSent')]
  const [bytesIn, bytesOut] = [byTier('bytesReceived'), byTier('bytesSent')]
  const now = metrics.at / 1000
  const mixed = (one, other) => TIERS.flatMap((_, at) => [one[at], other[at]])
  views.messages.push(now, mixed(messagesIn, messagesOut))
  views.bytes.push(now, mixed(bytesIn, bytesOut))
  const opened = rate((one) => one.connectionsOpened)
  views.connections.push(now, [metrics.connectionsOpen, opened])
  const [active, idle] = [rate((one) => one.eventLoopActive), rate((one) => one.eventLoopIdle)]
  const busy = active + idle > 0 ? 100 * active / (active + idle) : 0
  const delays = delaysBetween(before.eventLoopDelay, metrics.eventLoopDelay)
  views.loop.push(now, [busy, quantile(delays, 0.5), quantile(delays, 0.99)])
  views.topics.push(now, [rate((one) => sumOf(one.publications)), rate((one) => one.deliveries)])
  showProcesses(now, before, metrics, seconds)
  say('received', number(sumOf(messagesIn)) + '/s', bytes(sumOf(bytesIn)) + '/s')
  say('sent', number(sumOf(messagesOut)) + '/s', bytes(sumOf(bytesOut)) + '/s')
  say('loop', percent(busy), 'busy')
  say('delay', milliseconds(quantile(delays, 0.99)), 'p50 ' + milliseconds(quantile(delays, 0.5)))
}

function showTotals(metrics) {
  say('connections', number(metrics.connectionsOpen), number(metrics.connectionsOpened) + ' opened')
  say('memory', bytes(metrics.residentMemory), bytes(metrics.bufferedBytes) + ' unread')
  say('topics', number(metrics.topics), number(metrics.subscriptions) + ' subscribed')
  list('codes', metrics.connectionsClosed)
  list('statuses', metrics.handshakes)
  list('violations', metrics.violations)
}

function showProcesses(now, before, metrics, seconds) {
  const names = metrics.processes.map(({ pid }) => String(pid))
  if (names.join() !== processes) {
    processes = names.join()
    for (const view of [views.cpu, views.memory]) view.become(names.map((name, at) => line(name, 'c' + (at % 6 + 1))))
  }
  const used = metrics.processes.map(({ pid, cpu }) => {
    const earlier = before.processes.find((one) => one.pid === pid)
    return earlier === undefined ? null : Math.max(0, cpu - earlier.cpu) / seconds / 10
  })
  views.cpu.push(now, used)
  views.memory.push(now, metrics.processes.map(({ rss }) => rss))
  say('cpu', percent(used.reduce((sum, one) => sum + one, 0)), names.length + (names.length === 1 ? ' process' : ' processes'))
}

/** How often the event loop was late between two looks, by how much, in milliseconds. */
function delaysBetween(before, after) {
  let sum = 0
  const counts = after.buckets.map(({ seconds, count }, at) => {
    const more = Math.max(0, count - before.buckets[at].count - sum)
    sum += more
    return { most: seconds * 1000, count: more }
  })
  return [...counts, { most: counts.at(-1).most, count: Math.max(0, after.count - before.count - sum) }]
}

/** Within the bucket, all are taken to be spread evenly. */
function quantile(counts, part) {
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return null
  let left = part * total
  let least = 0
  for (const { most, count } of counts) {
    if (count > 0 && left <= count) return least + (most - least) * left / count
    left -= count
    least = most
  }
  return least
}

function say(id, text, more) {
  const place = $('tile-' + id)
  place.firstChild.textContent = text
  place.lastChild.textContent = more
}

/** Counts that are not 0, the largest first; built from text, and never read as HTML. */
function list(id, counts) {
  const entries = Object.entries(counts).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a)
  const most = entries[0]?.[1] ?? 0
  const items = entries.map(([name, count]) => {
    const item = document.createElement('li')
    const bar = Object.assign(document.createElement('meter'), { max: most, value: count })
    bar.setAttribute('aria-hidden', 'true')
    item.append(Object.assign(document.createElement('span'), { textContent: name }), bar,
      Object.assign(document.createElement('span'), { className: 'mono', textContent: number(count) }))
    return item
  })
  if (items.length === 0) items.push(Object.assign(document.createElement('li'), { className: 'quiet', textContent: 'none' }))
  $(id).replaceChildren(...items)
}

// The live connection: what is counted comes on it, and what this page sends comes back.
const trips = []
let live
let patience = 1000
let probing

function watch() {
  live = new WebSocket(address + '/dashboard/live')
  live.onopen = () => {
    patience = 1000
    probing = setInterval(() => live.readyState === 1 && live.send(String(performance.now())), 250)
  }
  live.onmessage = ({ data }) => {
    if (data[0] !== '{') return cameRound(performance.now() - Number(data))
    const told = JSON.parse(data)
    $('live').dataset.live = 'open'
    $('live').textContent = 'Live, once a second'
    took(told)
  }
  live.onclose = ({ code }) => {
    clearInterval(probing)
    last = undefined
    $('live').dataset.live = 'lost'
    $('live').textContent = 'Not connected (' + code + '): trying again'
    setTimeout(watch, patience)
    patience = Math.min(2 * patience, 10000)
  }
}

function cameRound(time) {
  trips.push(LATENCIES.findIndex((most) => time <= most))
  if (trips.length > PROBES) trips.shift()
  const counts = LATENCIES.map((_, at) => trips.filter((trip) => trip === at).length)
  views.latency.columns = [LATENCIES.map((_, at) => at), counts]
  views.latency.plot.setData(views.latency.columns)
}

dark.onchange = () => { for (const view of charts) view.draw() }
new ResizeObserver(() => {
  for (const { plot, place } of charts) if (place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: 190 })
}).observe(document.querySelector('.charts'))
watch()
}
`
