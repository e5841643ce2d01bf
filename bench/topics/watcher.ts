// Others on the server of the suite `topics`, in a process of their own, so that they wait for nobody but the server: each sends
// something every 5 ms, and measures how long its echo takes. A message of the suite begins the measure; the next one ends it.
import { connect } from '../../src/client.js'

const [url = '', count = '1'] = process.argv.slice(2)
let times: number[] | undefined
const others = await Promise.all(
  Array.from({ length: Number(count) }, () =>
    connect(url, { message: (_, message) => void times?.push(performance.now() - Number(message.text())) }),
  ),
)
setInterval(() => {
  for (const other of others) other.send(String(performance.now()))
}, 5)
process.on('message', () => {
  const found = times?.toSorted((one, other) => one - other)
  times = found === undefined ? [] : undefined
  process.send?.({ p99: found?.[Math.floor(found.length * 0.99)] ?? 0 })
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
