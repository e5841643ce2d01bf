// A process of a load, as `loadBy` starts it: loads as it is told, together with the others, and tells what it has measured.
import { load } from '../load.js'
import { type Note, noteOf, type Order, optionsIn } from './messages.js'

const over = new AbortController()
let go: () => void = () => undefined
const all = new Promise<void>((resolve) => {
  go = resolve
})

// Ctrl+C in a terminal is sent to every process of it; this one ends when the first one says so, or ends.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit())

process.on('message', (order: Order) => {
  if (order === 'go') return go()
  if (order !== 'stop') return void run(order)
  over.abort()
  go()
})

async function run(order: Extract<Order, object>): Promise<void> {
  const opened = (): Promise<void> => {
    tell('opened')
    return all
  }
  try {
    const result = await load(
      optionsIn(order),
      over.signal,
      () => tell('measuring'),
      () => tell('measured'),
      { opened, interval: (interval, recorded) => tell({ interval, recorded: recorded() }) },
    )
    tell(noteOf(result), () => process.exit())
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) }, () => process.exit())
  }
}

function tell(note: Note, told: () => void = () => undefined): void {
  process.send?.(note, undefined, undefined, told)
}
