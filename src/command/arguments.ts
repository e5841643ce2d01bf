// The command line: which command it names, and for the echo server its options, what they say when asked, and what a person's arguments mean.
import { type Limit, limits } from '../checks/limits.js'
import { clusterQuantities } from '../checks/quantities.js'
import { nearest } from '../checks/spelling.js'
import type { ServerLimits } from '../server/options.js'
import { type BenchCommand, parseBenchArguments } from './bench/arguments.js'
import { MergedOptions, optionsFromEnvironment } from './environment.js'
import { optionsIn, type ParsedOptions, read, table, UsageError } from './options.js'
import {
  answerRows,
  boundRows,
  type LogArguments,
  logArgumentsIn,
  logRows,
  type StopArguments,
  stopArgumentsIn,
  stopRows,
  type TargetArguments,
  targetArgumentsIn,
  targetFlags,
  targetValued,
} from './targetArguments.js'
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from './units.js'

export const DEFAULT_PORT = 9001
/** This machine only: a server that echoes to strangers is something to ask for. */
export const DEFAULT_HOST = '127.0.0.1'

/** What the arguments ask for. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  | BenchCommand
  | ({
      readonly name: 'serve'
      readonly listen: ListenPlace
      readonly limits: Partial<ServerLimits>
      /** Whether messages are compressed for clients that offer it. */
      readonly deflate?: true
      /** Where Redis is. */
      readonly broker?: string
      /** What the target answers. */
      readonly target?: TargetArguments
      /** How it ends. */
      readonly stop?: StopArguments
    } & LogArguments)

/** Where to listen; a certificate and its key are the names of files. */
export interface ListenPlace {
  readonly port?: number
  readonly host?: string
  readonly path?: string
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly http2?: boolean | 'cleartext'
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

/** The options that take a value, and those that take none; each of them has a variable in the environment. */
const valued = [
  ...where,
  ...processes,
  ...targetValued,
  ...[...sizes, ...counts, ...times].map(([limit]) => flagOf(limit)),
]
const flags = ['deflate', 'http2', ...targetFlags]

/** Reads the arguments after the program's name. Throws a UsageError for the first that is wrong. */
export function parseArguments(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Command {
  if (args[0] === 'bench') return parseBenchArguments(args.slice(1))
  const typed = optionsIn(args, valued, [...flags, 'help', 'version'], { h: 'help', v: 'version' }, (word) => {
    const meant = nearest(word, ['bench', 'conform'])
    throw new UsageError(
      `there is no command ${JSON.stringify(word)}${meant === undefined ? '' : `: did you mean ${meant}?`}`,
    )
  })
  if (typed.has('help')) return { name: 'help' }
  if (typed.has('version')) return { name: 'version' }
  const given = new MergedOptions(typed, optionsFromEnvironment(environment, valued, flags))
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
  const listen = { ...withHttp2(placeIn(given, port), given), ...acceptorsIn(given) }
  const [target, stop] = [targetArgumentsIn(given), stopArgumentsIn(given)]
  return {
    name: 'serve',
    listen,
    limits: asked,
    ...(given.has('deflate') ? { deflate: true } : {}),
    ...(broker === undefined ? {} : { broker }),
    ...(Object.keys(target).length === 0 ? {} : { target }),
    ...(Object.keys(stop).length === 0 ? {} : { stop }),
    ...logArgumentsIn(given),
  }
}

/** Where to listen: a path, or a port; with TLS if there is a certificate. */
function placeIn(given: ParsedOptions, port: number): ListenPlace {
  const [path, cert, key] = [given.get('path'), given.get('cert'), given.get('key')]
  if (path !== undefined && (given.has('port') || given.has('host'))) {
    throw new UsageError('--path is a Unix socket, which has no port: leave --port and --host out')
  }
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key belong together')
  const tls = cert === undefined || key === undefined ? {} : { tls: { cert, key } }
  return path === undefined ? { port, host: given.get('host') ?? DEFAULT_HOST, ...tls } : { path, ...tls }
}

/** The same with HTTP/2, if it is asked for. */
function withHttp2(place: ListenPlace, given: ParsedOptions): ListenPlace {
  if (!given.has('http2')) return place
  return { ...place, http2: place.tls === undefined ? 'cleartext' : true }
}

/** How many acceptors, and how they drain. */
function acceptorsIn(given: ParsedOptions): Pick<ListenPlace, 'acceptors' | 'drainAfter' | 'drainOver'> {
  const acceptors = read(given, 'acceptors', (text) =>
    text === 'auto' ? text : atLeastOne(parseCount(text, clusterQuantities.acceptors.most)),
  )
  const [drainAfter, drainOver] = [read(given, 'drain-after', parseDuration), read(given, 'drain-over', parseDuration)]
  return {
    ...(acceptors === undefined ? {} : { acceptors }),
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
  return `millrace ${version}: something to point WebSocket clients at

  millrace                                    then open http://${DEFAULT_HOST}:${DEFAULT_PORT}
  millrace --port 0 --max-message 256MiB      any free port, longer messages
  millrace --host 0.0.0.0 --port 80           for everybody on the network
  millrace --acceptors auto                   one process for each processor
  millrace --broker redis://10.0.0.1          one of several machines
  millrace bench ws://${DEFAULT_HOST}:${DEFAULT_PORT}          measure a server: see bench --help
  millrace conform ws://${DEFAULT_HOST}:${DEFAULT_PORT}        test it: see conform --help

GET /paths lists all paths: /source, /delay, /close, /topics/NAME and others.
Every option has a variable: MILLRACE_MAX_MESSAGE=1MiB is --max-message 1MiB.

Where
${table([
  ['port', String(DEFAULT_PORT), 'port to listen on; 0 means any free port'],
  ['host', DEFAULT_HOST, 'address to listen on; 0.0.0.0 means all'],
  ['path', '', 'Unix socket to listen on, instead of a port'],
  ['cert', '', 'file of the certificate, for TLS'],
  ['key', '', 'file of its private key'],
  ['http2', '', 'HTTP/2 as well, with WebSockets over it'],
])}
Compression
${table([['deflate', '', 'permessage-deflate, for clients that offer it']])}
Processes
${table([
  ['acceptors', '', 'how many processes serve, or auto'],
  [
    'drain-after',
    formatDuration(clusterQuantities.drainAfter.byDefault),
    'how long clients are served after a reload;\nat the end, 0 unless it is given',
  ],
  ['drain-over', formatDuration(clusterQuantities.drainOver.byDefault), 'time over which closes are spread, likewise'],
  ['broker', '', 'redis://..., to share /topics/NAME with\nother machines'],
])}
What answers
${table(answerRows)}
At most (for each client)
${table(boundRows)}
Its end
${table(stopRows)}
What it says
${table(logRows)}
How much (1024, 16k, 64KiB, 64MB)
${table(sizes.map(([limit, help]) => [flagOf(limit), formatSize(limits[limit].byDefault), help]))}
How many
${table(counts.map(([limit, help]) => [flagOf(limit), String(limits[limit].byDefault), help]))}
How long (500ms, 10s, 2m; 0 means no limit)
${table(times.map(([limit, help]) => [flagOf(limit), formatDuration(limits[limit].byDefault), help]))}
Help
${table([
  ['help', '', 'show this text (-h)'],
  ['version', '', 'show the version (-v)'],
])}
Ctrl+C sends Close to every client, and ends when all have answered. Pressed
again, it ends at once. A reload is SIGHUP: acceptors are replaced, and without
them, the certificate is read again.`
}

/** The option of a limit: maxMessage is --max-message. */
function flagOf(limit: LimitName): string {
  return limit.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
