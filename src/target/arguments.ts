// The command line of the echo server: its options, what they say when asked, and what a person's arguments mean.
import { parseArgs } from 'node:util'
import { defaultLimits, type ServerLimits } from '../server/options.js'
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from './units.js'

export const DEFAULT_PORT = 9001
/** This machine only: a server that echoes to strangers is something to ask for. */
export const DEFAULT_HOST = '127.0.0.1'

/** What the arguments ask for. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  | { readonly name: 'serve'; readonly port: number; readonly host: string; readonly limits: Partial<ServerLimits> }

/** Arguments that can't be understood; the message is for the person who typed them. */
export class UsageError extends Error {}

type Limit = keyof ServerLimits
type Row = readonly [flag: string, byDefault: string, help: string]

const sizes: readonly (readonly [Limit, string])[] = [
  ['maxMessage', 'longest message; longer ones end with 1009'],
  ['payloadMemory', 'memory for large messages of all connections'],
  ['outputLimit', 'a peer that leaves more unread must read first'],
  ['outputCeiling', 'a peer that leaves more unread is cut off'],
]

const times: readonly (readonly [Limit, string])[] = [
  ['handshakeTimeout', 'for the whole opening handshake'],
  ['payloadTimeout', 'without a byte of an unfinished large message'],
  ['closeTimeout', 'for the answer to Close, and then for the end'],
]

/** Reads the arguments behind the program's name. Throws a UsageError for the first that is wrong. */
export function parseArguments(args: readonly string[]): Command {
  const given = optionsIn(args)
  if (given.has('help')) return { name: 'help' }
  if (given.has('version')) return { name: 'version' }
  const limits: { -readonly [name in Limit]?: number } = {}
  for (const [limit] of sizes) read(given, flagOf(limit), parseSize, (value) => (limits[limit] = value))
  for (const [limit] of times) read(given, flagOf(limit), parseDuration, (value) => (limits[limit] = value))
  let port = DEFAULT_PORT
  read(
    given,
    'port',
    (text) => parseCount(text, 65_535),
    (value) => (port = value),
  )
  return { name: 'serve', port, host: given.get('host') ?? DEFAULT_HOST, limits }
}

/** The help text. Its defaults are those of the server itself. */
export function helpText(version: string): string {
  return `millrace ${version}: a WebSocket server that sends every message back

  millrace                                    then open http://${DEFAULT_HOST}:${DEFAULT_PORT}
  millrace --port 0 --max-message 256MiB      any free port, longer messages
  millrace --host 0.0.0.0 --port 80           for everybody on the network

Where
${table([
  ['port', String(DEFAULT_PORT), 'port to listen on; 0 is any free one'],
  ['host', DEFAULT_HOST, 'address to listen on; 0.0.0.0 is all of IPv4'],
])}
How much (1024, 16k, 64KiB, 64MB)
${table(sizes.map(([limit, help]) => [flagOf(limit), formatSize(defaultLimits[limit]), help]))}
How long (500ms, 10s, 2m; 0 is for ever)
${table(times.map(([limit, help]) => [flagOf(limit), formatDuration(defaultLimits[limit]), help]))}
And
${table([
  ['help', '', 'this text (-h)'],
  ['version', '', 'the version (-v)'],
])}
Ctrl+C says goodbye to every peer and ends when all have answered; pressed
again, it ends at once.`
}

function table(rows: readonly Row[]): string {
  return rows.map(([flag, byDefault, help]) => `  --${flag.padEnd(19)}${byDefault.padEnd(11)}${help}\n`).join('')
}

/** The option of a limit: maxMessage is --max-message. */
function flagOf(limit: Limit): string {
  return limit.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The options that were given, by name; an option that takes no value has an empty one. */
function optionsIn(args: readonly string[]): ReadonlyMap<string, string> {
  const valued = ['port', 'host', ...[...sizes, ...times].map(([limit]) => flagOf(limit))]
  const { tokens } = parseArgs({
    args: [...args],
    strict: false, // the messages of the strict mode are about parseArgs, not about millrace
    tokens: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
      ...Object.fromEntries(valued.map((name) => [name, { type: 'string' as const }])),
    },
  })
  const given = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    // A first word without a dash is where subcommands will be.
    if (token.kind === 'positional') throw new UsageError(`there is no command ${JSON.stringify(token.value)}`)
    const { name, rawName, value, inlineValue } = token
    if (valued.includes(name)) given.set(name, valueIn(rawName, value, inlineValue))
    else if (name !== 'help' && name !== 'version') throw new UsageError(`there is no option ${rawName}`)
    else if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
    else given.set(name, '')
  }
  return given
}

/** In `--port --host x`, the port's value was forgotten: it is not `--host`. */
function valueIn(rawName: string, value: string | undefined, inline: boolean | undefined): string {
  if (value === undefined || value === '' || (inline !== true && value.startsWith('-'))) {
    throw new UsageError(`${rawName} needs a value`)
  }
  return value
}

function read(
  given: ReadonlyMap<string, string>,
  flag: string,
  parse: (text: string) => number,
  take: (value: number) => void,
): void {
  const text = given.get(flag)
  if (text === undefined) return
  try {
    take(parse(text))
  } catch (error) {
    throw new UsageError(`--${flag}: ${error instanceof Error ? error.message : error}`)
  }
}
