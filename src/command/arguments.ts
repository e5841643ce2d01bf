// The command line: which command it names, and for the echo server its options, what they say when asked, and what a person's arguments mean.
import { type Limit, limits } from '../checks/limits.js'
import { clusterQuantities } from '../checks/quantities.js'
import { nearest } from '../checks/spelling.js'
import type { ServerLimits } from '../server/options.js'
import { type BenchCommand, parseBenchArguments } from './bench/arguments.js'
import { optionsIn, type ParsedOptions, read, table, UsageError } from './options.js'
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from './units.js'

export const DEFAULT_PORT = 9001
/** This machine only: a server that echoes to strangers is something to ask for. */
export const DEFAULT_HOST = '127.0.0.1'

/** What the arguments ask for. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  | BenchCommand
  | {
      readonly name: 'serve'
      readonly listen: ListenPlace
      readonly limits: Partial<ServerLimits>
      /** Where Redis is. */
      readonly broker?: string
    }

/** Where to listen; a certificate and its key are the names of files. */
export interface ListenPlace {
  readonly port?: number
  readonly host?: string
  readonly path?: string
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly acceptors?: number | 'auto'
  readonly drainAfter?: number
  readonly drainOver?: number
}

const where = ['port', 'host', 'path', 'cert', 'key']
const processes = ['acceptors', 'drain-after', 'drain-over', 'broker']

export { UsageError }

type LimitName = keyof ServerLimits

/** The limits of one unit that the command line has an option for, each with its help. */
function limitsIn(unit: Limit['unit']): readonly (readonly [LimitName, string])[] {
  const found: (readonly [LimitName, string])[] = []
  for (const name of Object.keys(limits) as LimitName[]) {
    const limit: Limit = limits[name]
    if (limit.unit === unit && limit.help !== undefined) found.push([name, limit.help])
  }
  return found
}

const sizes = limitsIn('bytes')
const counts = limitsIn('count')
const times = limitsIn('ms')

/** Reads the arguments behind the program's name. Throws a UsageError for the first that is wrong. */
export function parseArguments(args: readonly string[]): Command {
  if (args[0] === 'bench') return parseBenchArguments(args.slice(1))
  const valued = [...where, ...processes, ...[...sizes, ...counts, ...times].map(([limit]) => flagOf(limit))]
  const given = optionsIn(args, valued, ['help', 'version'], { h: 'help', v: 'version' }, (word) => {
    const meant = nearest(word, ['bench']) === undefined ? '' : ': did you mean bench?'
    throw new UsageError(`there is no command ${JSON.stringify(word)}${meant}`)
  })
  if (given.has('help')) return { name: 'help' }
  if (given.has('version')) return { name: 'version' }
  const asked: { -readonly [name in LimitName]?: number } = {}
  const groups = [
    [sizes, parseSize] as const,
    [counts, (text: string) => parseCount(text)] as const,
    [times, parseDuration] as const,
  ]
  for (const [group, parse] of groups) {
    for (const [limit] of group) {
      const value = read(given, flagOf(limit), parse)
      if (value !== undefined) asked[limit] = value
    }
  }
  const port = read(given, 'port', (text) => parseCount(text, 65_535)) ?? DEFAULT_PORT
  const broker = given.get('broker')
  const listen = { ...placeIn(given, port), ...acceptorsIn(given) }
  return { name: 'serve', listen, limits: asked, ...(broker === undefined ? {} : { broker }) }
}

/** Where to listen: a path, or a port; with TLS if there is a certificate. */
function placeIn(given: ParsedOptions, port: number): ListenPlace {
  const [path, cert, key] = [given.get('path'), given.get('cert'), given.get('key')]
  if (path !== undefined && (given.has('port') || given.has('host'))) {
    throw new UsageError('--path listens on no port: leave --port and --host out')
  }
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key belong together')
  const tls = cert === undefined || key === undefined ? {} : { tls: { cert, key } }
  return path === undefined ? { port, host: given.get('host') ?? DEFAULT_HOST, ...tls } : { path, ...tls }
}

/** How many acceptors, and how they drain. */
function acceptorsIn(given: ParsedOptions): Pick<ListenPlace, 'acceptors' | 'drainAfter' | 'drainOver'> {
  const acceptors = read(given, 'acceptors', (text) =>
    text === 'auto' ? text : atLeastOne(parseCount(text, clusterQuantities.acceptors.most)),
  )
  const [drainAfter, drainOver] = [read(given, 'drain-after', parseDuration), read(given, 'drain-over', parseDuration)]
  if (acceptors === undefined) {
    if (drainAfter !== undefined || drainOver !== undefined) throw new UsageError('only --acceptors drain: use it, too')
    return {}
  }
  return {
    acceptors,
    ...(drainAfter === undefined ? {} : { drainAfter }),
    ...(drainOver === undefined ? {} : { drainOver }),
  }
}

function atLeastOne(count: number): number {
  if (count === 0) throw new RangeError(`a server needs at least one, or 'auto'`)
  return count
}

/** The help text. Its defaults are those of the server itself. */
export function helpText(version: string): string {
  return `millrace ${version}: a WebSocket server that sends every message back

  millrace                                    then open http://${DEFAULT_HOST}:${DEFAULT_PORT}
  millrace --port 0 --max-message 256MiB      any free port, longer messages
  millrace --host 0.0.0.0 --port 80           for everybody on the network
  millrace --acceptors auto                   a process for each processor
  millrace --broker redis://10.0.0.1          one of several machines
  millrace bench ws://${DEFAULT_HOST}:${DEFAULT_PORT}          load a server; see bench --help

What is sent to the path /topics/NAME comes back to everybody there.

Where
${table([
  ['port', String(DEFAULT_PORT), 'port to listen on; 0 is any free one'],
  ['host', DEFAULT_HOST, 'address to listen on; 0.0.0.0 is all of IPv4'],
  ['path', '', 'Unix socket to listen on instead'],
  ['cert', '', 'file of the certificate, for TLS, and'],
  ['key', '', 'file of its key'],
])}
Processes
${table([
  ['acceptors', '', 'processes that serve, or auto'],
  ['drain-after', formatDuration(clusterQuantities.drainAfter.byDefault), 'from a reload (SIGHUP) to the first Close'],
  ['drain-over', formatDuration(clusterQuantities.drainOver.byDefault), 'time over which all Closes are spread'],
  ['broker', '', 'redis://..., for /topics/NAME on many machines'],
])}
How much (1024, 16k, 64KiB, 64MB)
${table(sizes.map(([limit, help]) => [flagOf(limit), formatSize(limits[limit].byDefault), help]))}
How many
${table(counts.map(([limit, help]) => [flagOf(limit), String(limits[limit].byDefault), help]))}
How long (500ms, 10s, 2m; 0 is for ever)
${table(times.map(([limit, help]) => [flagOf(limit), formatDuration(limits[limit].byDefault), help]))}
And
${table([
  ['help', '', 'this text (-h)'],
  ['version', '', 'the version (-v)'],
])}
Ctrl+C says goodbye to every peer and ends when all have answered; pressed
again, it ends at once.`
}

/** The option of a limit: maxMessage is --max-message. */
function flagOf(limit: LimitName): string {
  return limit.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
