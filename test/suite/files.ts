// Which test files there are: those whose source is there. What an earlier build left in dist is not run.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface TestFile {
  /** As a person names it: room/name. */
  readonly name: string
  readonly room: string
  /** The program. */
  readonly path: string
  /** Whether it runs when no other does, but those of its line of ALONE. */
  readonly alone: boolean
  /** Whether it runs in one process with others. */
  readonly together: boolean
  /** Which build of the codec it runs on; the debug build checks the codec's assertions. */
  readonly codec: 'release' | 'debug'
}

/** These drive the codec itself, so they run once more on its debug build. */
export const ON_BOTH_BUILDS = [
  'codec/acceptance',
  'codec/addresses',
  'codec/agreement',
  'codec/anyText',
  'codec/counter',
  'codec/frameTable',
  'codec/freedParser',
  'codec/lengths',
  'codec/masking',
  'codec/module',
  'codec/utf8',
  'codec/utf8Kinds',
  'codec/vectors',
]

/**
 * What these prove is a matter of less than a millisecond, which is only there while the processors are. Those of a line
 * run side by side, and take a processor each.
 */
export const ALONE = [['load/duties', 'load/schedule'], ['cluster/shares']]

/** These wait for long, so they begin first: nothing else is left to do beside one that began last. */
export const FIRST = [
  'model/crosstalk',
  'ecosystem/packages',
  'connection/streamTurns',
  'topics/sweeps',
  'connection/deflateSoak',
  'faults/leaks',
  'bench/large',
  'connection/times',
  'cluster/starting',
  'pool/poolDeaths',
  'transport/handleUpgrade',
  'transport/echo',
  'pool/poolFaults',
  'faults/unread',
  'server/halfOpen',
  'brokers/everywhere',
  'topics/subscribers',
  'shipping/package',
  'server/pending',
]

/**
 * Rooms and files that need no process of their own, of which the start would cost more than the tests: they are short,
 * set nothing of the process, and do not measure what it holds. Where several run in one process, each has the process as
 * the ones before it have left it. A file with hooks for all of its tests is none of these: such hooks belong to the process.
 */
export const TOGETHER = [
  ...['checks', 'protocol', 'structure', 'types/data', 'command/units', 'command/arguments', 'command/benchArguments'],
  ...['codec/acceptance', 'codec/addresses', 'codec/agreement', 'codec/assertions', 'codec/frameHeaders'],
  ...['codec/instance', 'codec/lengths', 'codec/masking', 'codec/module', 'codec/utf8', 'codec/vectors'],
  ...['connection/amid', 'connection/closing', 'connection/contents', 'connection/encoder', 'connection/evicted'],
  ...['connection/fragmentsOut', 'connection/halfClose', 'connection/handlers', 'connection/hostileValues'],
  ...['connection/invalidJson', 'connection/mistakes', 'connection/order', 'connection/pings', 'connection/realms'],
  ...['connection/sendStream', 'connection/streamEnds', 'connection/streamOrder', 'connection/strings'],
  ...['connection/streamedMessages', 'examples/reference', 'bench/regressions', 'load/dial', 'load/payload'],
  ...['brokers/brokenLinks', 'brokers/entry', 'brokers/hubBroker', 'brokers/numbering', 'brokers/publication'],
  ...['server/addresses', 'server/arrivals', 'server/otherProtocols', 'server/proxies'],
  ...['server/proxyEnds', 'server/requestFacts', 'server/requestFailures', 'server/routes'],
  ...['server/responseHead', 'server/tlsFacts', 'server/upgradeClosing', 'time/rates'],
  ...['topics/subscribersOfTopic', 'transport/adopt', 'transport/adoption', 'transport/ends', 'transport/firstWrite'],
  ...['differential/different', 'differential/eventTarget', 'differential/framing', 'differential/given'],
  ...['differential/messages', 'differential/opening', 'differential/refusals', 'differential/servers'],
  ...['transport/handleKinds', 'transport/unix', 'cluster/link', 'cluster/processors'],
]

/** How many of them at most run in one process: it ends before the others do. */
const MOST_TOGETHER = 8

/** What the name of a file ends in that runs on the debug build. */
const DEBUG = '+debug'

const sources = fileURLToPath(new URL('../../../test', import.meta.url))
const programs = fileURLToPath(new URL('..', import.meta.url))

/**
 * The test files of all rooms, in the order in which they begin. `only` are rooms, or files by their names, without an ending; `except` are rooms. Throws
 * if there is no such room or file.
 */
export function testFiles(only: readonly string[] = [], except: readonly string[] = []): TestFile[] {
  const all = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') && !/(?:^|\/)node_modules\//.test(path))
    .map((path) => path.slice(0, -'.test.ts'.length))
    .flatMap(variantsOf)
    .toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
  const isOf = (word: string, { name, room }: TestFile): boolean =>
    word === name || word === room || `${word}${DEBUG}` === name
  for (const word of [...only, ...except]) {
    if (!all.some((file) => isOf(word, file))) throw new Error(`there is no room and no test called ${word}`)
  }
  return all
    .filter((file) => only.length === 0 || only.some((word) => isOf(word, file)))
    .filter((file) => !except.some((word) => isOf(word, file)))
}

/** The files in the order in which they begin, those that run in one process as one. */
export function processesOf(files: readonly TestFile[]): TestFile[][] {
  const processes: TestFile[][] = []
  const open = new Map<TestFile['codec'], TestFile[]>()
  for (const file of files) {
    const others = open.get(file.codec)
    if (file.together && others !== undefined && others.length < MOST_TOGETHER) others.push(file)
    else {
      const process = [file]
      processes.push(process)
      if (file.together) open.set(file.codec, process)
    }
  }
  return processes
}

/** Once, or once on each build of the codec. */
function variantsOf(name: string): TestFile[] {
  const room = name.split('/')[0] ?? ''
  const file: TestFile = {
    name,
    room,
    path: `${programs}${name}.test.js`,
    alone: ALONE.flat().includes(name),
    together: TOGETHER.includes(name) || TOGETHER.includes(room),
    codec: 'release',
  }
  return ON_BOTH_BUILDS.includes(name) ? [file, { ...file, name: `${name}${DEBUG}`, codec: 'debug' }] : [file]
}

function rank({ name }: TestFile): number {
  const place = FIRST.indexOf(name)
  return place < 0 ? FIRST.length : place
}
