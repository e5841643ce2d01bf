// `/delay`: answers late, as a busy server does.
import { time } from '../parameters.js'
import { socketPath } from '../socketPath.js'

/** An answer that is not due yet. */
interface Waiting {
  readonly due: number
  answer(): void
  /** Lets go of the message. */
  release(): void
}

export const delayPath = socketPath({
  path: '/delay',
  about: 'sends every message back after a time, which differs from message to message by up to the jitter',
  example: '/delay?ms=50&jitter=20',
  client: 'gets its messages in order, and does not wait for one before it sends the next',
  parameters: {
    ms: time('time before the answer', 50),
    jitter: time('the most by which that time is longer or shorter', 0),
  },
  settings: { pauseTimeout: 0 },
  visit({ connection, values: { ms, jitter } }) {
    const waiting: Waiting[] = []
    let latest = 0
    let timer: NodeJS.Timeout | undefined
    const answerDue = (): void => {
      timer = undefined
      while (waiting[0] !== undefined && waiting[0].due <= performance.now()) {
        waiting[0].answer()
        waiting.shift()?.release()
      }
      const [next] = waiting
      if (next !== undefined) timer = setTimeout(answerDue, Math.ceil(next.due - performance.now()))
    }
    return {
      // The message is kept as long as the promise is pending; with a number of them pending, nothing more is read.
      message: (message) =>
        new Promise<void>((release) => {
          const due = performance.now() + ms + (Math.random() * 2 - 1) * jitter
          latest = Math.max(latest, due) // answers do not overtake each other
          waiting.push({ due: latest, answer: () => void connection.send(message), release })
          timer ??= setTimeout(answerDue, Math.max(0, Math.ceil(latest - performance.now())))
        }),
      left() {
        clearTimeout(timer)
        for (const { release } of waiting.splice(0)) release()
      },
    }
  },
})
