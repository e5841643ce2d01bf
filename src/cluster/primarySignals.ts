// What signals mean to a primary: it stops, reloads or ends its acceptors.
import type { ClusterPlan } from './options.js'
import { onSignals } from './signals.js'
import type { Supervisor } from './supervisor.js'

/** From now on, signals are obeyed; `stop` is what the first one to end calls. Returns the function that undoes this. */
export function obeySignals(supervisor: Supervisor, stop: () => Promise<void>, log: ClusterPlan['log']): () => void {
  let latest: Promise<void> | undefined
  return onSignals({
    stop,
    kill: () => supervisor.kill(),
    reload() {
      const reloaded = supervisor.reload()
      if (reloaded === latest) return // several signals, one reload, one line if it fails
      latest = reloaded
      reloaded.catch((error: Error) => log(`millrace: nothing was reloaded: ${error.message}`))
    },
  })
}
