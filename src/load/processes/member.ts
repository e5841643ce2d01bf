// A process of a load, as `loadBy` starts it: loads as it is told, together with the others, and tells what it has measured.
import { load } from '../load.js'
import type { FanOutNews, Others } from '../others.js'
import { type Note, noteOf, type Order, optionsIn } from './messages.js'

const over = new AbortController()
const [all, go] = gate()
const [place, goOn] = gate()
/** What the others have told before this process listens: one of them may be over before this one has begun. */
const early: FanOutNews[] = []
let hear = (news: FanOutNews): void => void early.push(news)

const others: Others = {
  together() {
    tell('together')
    return place
  },
  tell: (news) => tell({ news }),
  hear(listener) {
    hear = listener
    for (const news of early.splice(0)) listener(news)
  },
}

// Ctrl+C in a terminal is sent to every process of it; this one ends when the first one says so, or ends.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit())

process.on('message', (order: Order) => {
  if (order === 'go') return go()
  if (order === 'together') return goOn()
  if (order !== 'stop') return 'news' in order ? hear(order.news) : void run(order)
  over.abort()
  go()
  goOn()
})

async function run(order: Extract<Order, { readonly load: unknown }>): Promise<void> {
  const opened = (): Promise<void> => {
    tell('opened')
    return all
  }
  try {
    const result = await load(
      await optionsIn(order),
      over.signal,
      () => tell('measuring'),
      () => tell('measured'),
      { opened, interval: (interval, recorded) => tell({ interval, recorded: recorded() }), others },
    )
    tell(noteOf(result), () => process.exit())
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) }, () => process.exit())
  }
}

/** A promise, and what fulfils it. */
function gate(): [promise: Promise<void>, open: () => void] {
  let open: () => void = () => undefined
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return [promise, open]
}

function tell(note: Note, told: () => void = () => undefined): void {
  process.send?.(note, undefined, undefined, told)
}
