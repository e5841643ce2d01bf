// What `listen` is told: a port alone, or options that do not contradict each other.
import { checkNoMore, checkOptions, checkValue } from './check.js'
import { callerError } from './errors.js'
import { port, shown } from './kinds.js'
import { everywhere, listenOptions } from './tables.js'

/** Options that mean something only beside another. */
const NEEDS: Readonly<Record<string, string>> = { readableAll: 'path', writableAll: 'path' }

/**
 * What `listen` was told, as options. Throws a TypeError for names and values that are wrong, for options that exclude
 * each other, and for arguments that `listen` does not take; `more` are those.
 */
export function readPlace<Options extends object>(where: number | Options, more: readonly unknown[]): Options {
  const given: unknown = where
  checkNoMore(
    more,
    'listen takes one argument, and returns a promise: await server.listen({ port: 9001, host: "127.0.0.1" })',
  )
  if (typeof given === 'number') {
    checkValue('port', given, port)
    return { port: given } as Options & { port: number }
  }
  if (typeof given === 'string') {
    const advice = /^\d+$/.test(given) ? `listen(${given})` : `listen({ path: ${shown(given)} }) for a Unix socket`
    throw callerError('ERR_ARGUMENT_KIND', `listen takes a number or an object, not ${shown(given)}: write ${advice}`)
  }
  checkOptions(given, listenOptions, everywhere)
  checkTogether(where as Options)
  return where as Options
}

function checkTogether(options: object): void {
  const isGiven = (name: string): boolean => Reflect.get(options, name) !== undefined
  // Port 0, and a host, are what a program may say that is told the path later.
  const places = ['port', 'path', 'fd'].filter(
    (name) => isGiven(name) && !(name === 'port' && Reflect.get(options, name) === 0),
  )
  if (places.length > 1) {
    throw callerError(
      'ERR_OPTION_CONFLICT',
      `listen was given ${places.join(' and ')}: leave one out, or call listen once for each`,
    )
  }
  if (isGiven('fd') && ['port', 'host', 'path'].some(isGiven)) {
    throw callerError('ERR_OPTION_CONFLICT', 'fd is a socket that is open already: leave port, host and path out')
  }
  const http2: unknown = Reflect.get(options, 'http2')
  if (http2 === true && !isGiven('tls')) {
    throw callerError(
      'ERR_OPTION_CONFLICT',
      "http2: true applies only to TLS, where clients choose it: give tls, or write http2: 'cleartext'",
    )
  }
  if (http2 === 'cleartext' && isGiven('tls'))
    throw callerError('ERR_OPTION_CONFLICT', "http2: 'cleartext' is HTTP/2 without TLS: with tls, write http2: true")
  for (const [name, needed] of Object.entries(NEEDS)) {
    if (isGiven(name) && !isGiven(needed))
      throw callerError('ERR_OPTION_CONFLICT', `${name} applies only to Unix sockets: it needs ${needed}`)
  }
}
