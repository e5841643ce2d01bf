// Which lane a connection took can't be seen from outside. Every connection of the second lane is an http.Server's
// 'connection', so those are counted, to be sure that a test ran the lane that it is about.
import { Server } from 'node:http'

const emit: unknown = Server.prototype.emit
let handovers = 0

Reflect.set(Server.prototype, 'emit', function (this: Server, ...args: readonly unknown[]): boolean {
  if (args[0] === 'connection') handovers++
  return Reflect.apply(emit as () => boolean, this, args)
})

/** The connections that have gone to an http.Server of this process since this was last called. */
export function countHandovers(): number {
  const count = handovers
  handovers = 0
  return count
}
