// The application's own look-up of host names. One that answers twice would have node:net connect twice: on Node.js 20 and 22
// that is an error of a socket to which nobody listens yet, and ends the process. So its first answer counts.
import type { LookupFunction } from 'node:net'

/** The option of node:net for a look-up, if there is one. */
export function lookupOption(lookup: LookupFunction | undefined): { readonly lookup?: LookupFunction } {
  return lookup === undefined ? {} : { lookup: answeringOnce(lookup) }
}

function answeringOnce(lookup: LookupFunction): LookupFunction {
  return (host, options, done) => {
    let isAnswered = false
    lookup(host, options, (...answer) => {
      if (isAnswered) return
      isAnswered = true
      done(...answer)
    })
  }
}
