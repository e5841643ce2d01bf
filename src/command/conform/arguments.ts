// The command line of `millrace conform`: what its arguments mean, and what it says when asked.
import { readFileSync } from 'node:fs'
import type { Target } from '../../conform/asClient.js'
import type { Case } from '../../conform/case.js'
import { selectCases } from '../../conform/cases.js'
import { checkHeaders } from '../../protocol/openingHandshake.js'
import { optionsIn, type ParsedOptions, read, table, UsageError } from '../options.js'
import { parseCount, parseDuration } from '../units.js'

export interface ConformOptions {
  readonly target: Target
  readonly cases: readonly Case[]
  readonly parallel: number
  /** How long a case may take, in milliseconds. */
  readonly timeout: number
  readonly strict: boolean
  /** Files that reports are written to. */
  readonly json?: string
  readonly junit?: string
  readonly html?: string
}

export type ConformCommand =
  | { readonly name: 'conformHelp' }
  | { readonly name: 'conformList'; readonly cases: readonly Case[] }
  | { readonly name: 'conform'; readonly conform: ConformOptions }

const VALUED = ['only', 'timeout', 'parallel', 'json', 'junit', 'html', 'header', 'tls-ca', 'unix']
const FLAGS = ['strict', 'list', 'insecure', 'help']

const defaults = { parallel: 8, timeout: 10_000 } as const

const MOST_AT_ONCE = 256
const SHORTEST = 100
const LONGEST = 600_000

/** Reads the arguments after `conform`. Throws a UsageError for the first that is wrong. */
export function parseConformArguments(args: readonly string[]): ConformCommand {
  const words: string[] = []
  const headers: Record<string, string> = {}
  const given = optionsIn(withoutHeaders(args, headers), VALUED, FLAGS, { h: 'help' }, (word) => words.push(word))
  if (given.has('help')) return { name: 'conformHelp' }
  const strict = given.has('strict')
  const cases = casesIn(given, strict)
  if (given.has('list')) return { name: 'conformList', cases }
  const [address, extra] = words
  if (address === undefined) throw new UsageError('conform needs an address, such as ws://127.0.0.1:9001')
  if (extra !== undefined)
    throw new UsageError(`conform tests one address at a time, and ${JSON.stringify(extra)} is more`)
  return {
    name: 'conform',
    conform: {
      target: targetIn(given, address, headers),
      cases,
      strict,
      parallel: read(given, 'parallel', (text) => parseCount(text, MOST_AT_ONCE, 1)) ?? defaults.parallel,
      timeout: read(given, 'timeout', parseTime) ?? defaults.timeout,
      ...filesIn(given),
    },
  }
}

/** Headers may be given several times, which no other option may. */
function withoutHeaders(args: readonly string[], headers: Record<string, string>): readonly string[] {
  const others: string[] = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    if (word === '--header') addHeader(headers, args[++at])
    else if (word.startsWith('--header=')) addHeader(headers, word.slice('--header='.length))
    else others.push(word)
  }
  return others
}

function addHeader(headers: Record<string, string>, text: string | undefined): void {
  const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(text ?? '') ?? []
  if (name === '') throw new UsageError(`--header needs a name and a value, such as 'Authorization: Bearer abc'`)
  try {
    checkHeaders({ [name]: value })
  } catch (error) {
    throw new UsageError(`--header: ${error instanceof Error ? error.message : error}`)
  }
  headers[name] = value
}

function casesIn(given: ParsedOptions, strict: boolean): readonly Case[] {
  const only = given.get('only')?.split(',')
  const cases = selectCases({ side: 'server', heavy: strict, ...(only && { only }) })
  if (cases.length > 0) return cases
  throw new UsageError(`--only ${JSON.stringify(given.get('only'))} names no case: see --list`)
}

function targetIn(given: ParsedOptions, address: string, headers: Record<string, string>): Target {
  const [unix, ca] = [given.get('unix'), given.get('tls-ca')]
  return {
    url: parseAddress(address),
    headers,
    insecure: given.has('insecure'),
    ...(unix === undefined ? {} : { unix }),
    ...(ca === undefined ? {} : { ca: contentOf(ca) }),
  }
}

/** An address with its scheme left out, or with that of the page, is clear enough. */
function parseAddress(text: string): URL {
  const address = (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `ws://${text}`).replace(/^http(?=s?:)/i, 'ws')
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^wss?:$/.test(url.protocol))
    throw new UsageError(`${JSON.stringify(text)} is not an address such as ws://127.0.0.1:9001`)
  return url
}

function parseTime(text: string): number {
  const time = parseDuration(text)
  if (time < SHORTEST || time > LONGEST) throw new RangeError('a case may take 100ms to 10m')
  return time
}

function filesIn(given: ParsedOptions): Pick<ConformOptions, 'json' | 'junit' | 'html'> {
  const [json, junit, html] = [given.get('json'), given.get('junit'), given.get('html')]
  return { ...(json && { json }), ...(junit && { junit }), ...(html && { html }) }
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UsageError(`${file} can't be read (${error instanceof Error ? error.message : error})`)
  }
}

export const conformHelpText = `millrace conform: does a WebSocket server keep RFC 6455 and RFC 7692?

  millrace conform ws://127.0.0.1:9001
  millrace conform wss://127.0.0.1:9001 --insecure --only 5.5,7.4
  millrace conform ws://127.0.0.1:9001 --strict --junit conform.xml

The server may be any one that sends every message back. Cases of compression
are skipped where it does not accept permessage-deflate.

Which cases
${table([
  ['only', '', 'sections or numbers: 5.5 is all of 5.5, 5.5.1\nand so on; 7692 is all of RFC 7692'],
  ['strict', '', 'what is allowed but not ideal fails, too; runs\nalso the cases that cost the server memory'],
  ['list', '', 'print the cases, and run none'],
])}
How
${table([
  ['parallel', String(defaults.parallel), 'how many cases run at once'],
  ['timeout', '10s', 'how long a case may take'],
  ['header', '', "'Name: value', as often as you like"],
  ['tls-ca', '', 'file of the certificate that vouches for the\nserver'],
  ['insecure', '', 'do not check the certificate of the server'],
  ['unix', '', 'Unix socket to connect to'],
])}
Output
${table([
  ['json', '', 'file to write all outcomes to, as JSON'],
  ['junit', '', 'the same as JUnit XML, for CI'],
  ['html', '', 'the same as a page'],
  ['help', '', 'show this text (-h)'],
])}
A case passes, is not strict (what came is allowed, or nearly so, but not what a
strict server does), or fails. The exit code is 0, or 1 if a case has failed, or
the server could not be reached or sends no messages back.`
