// What a server, a route or the answer of `upgrade` says about compression, put together: each takes from the one before
// what it does not say itself.
import { deflateQuantities, windowQuantities } from '../checks/quantities.js'
import { Windows } from '../memory/windows.js'
import type { DeflateParameters } from '../protocol/permessageDeflate.js'
import type { DeflateLevel } from './sending/engines.js'

/** A value for each direction: of what the server sends, and of what the client sends. */
export interface EachDirection<Value> {
  /** For the messages that the server sends. */
  readonly server?: Value
  /** For the messages that the client sends. */
  readonly client?: Value
}

/** The option `deflate`, in detail. */
export interface DeflateOptions {
  /**
   * Whether a message may refer to text of the messages before it, which makes similar messages much shorter, and costs
   * memory for each connection. Default: true, in both directions.
   */
  readonly contextTakeover?: boolean | EachDirection<boolean>
  /**
   * The windows, as powers of two from 8 to 15: how far back a message may refer. A client's window is limited only if
   * the client offers that. Default: 12, in both directions.
   */
  readonly windowBits?: number | EachDirection<number>
  /**
   * `'fast'` compresses with the codec of millrace, `'best'` with zlib, which makes messages somewhat shorter and takes
   * several times as long. Default: `'fast'`.
   */
  readonly level?: 'fast' | 'best'
  /** Messages with fewer payload bytes than this are sent without compression. Default: 64. */
  readonly threshold?: number
  /**
   * The most memory that the windows of all these connections may take in this process, in bytes. When it is used up,
   * further connections are opened without compression. Default: 256 MiB.
   */
  readonly memory?: number
}

/** All of it, with no value left out. */
export interface DeflateSettings {
  /** What is agreed never exceeds this, as far as a client lets itself be limited. */
  readonly parameters: DeflateParameters
  readonly level: DeflateLevel
  readonly threshold: number
  /** What the windows may take, and take. */
  readonly windows: Windows
}

/** What holds where nothing is said but `true`. */
const byDefault: DeflateSettings = {
  parameters: {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: windowQuantities.server.byDefault,
    clientMaxWindowBits: windowQuantities.client.byDefault,
  },
  level: 'fast',
  threshold: deflateQuantities.threshold.byDefault,
  windows: new Windows(deflateQuantities.memory.byDefault),
}

/**
 * The settings that the option `deflate` asks for; undefined for no compression. `base` is what holds where the option
 * is left out, and what its members are taken from that it leaves out.
 */
export function deflateSettings(
  given: boolean | DeflateOptions | undefined,
  base: DeflateSettings | undefined,
): DeflateSettings | undefined {
  if (given === undefined) return base
  if (given === false) return undefined
  if (given === true) return base ?? byDefault
  const { parameters, level, threshold, windows } = base ?? byDefault
  return {
    parameters: parametersOf(given, parameters),
    level: given.level ?? level,
    threshold: given.threshold ?? threshold,
    windows: given.memory === undefined ? windows : new Windows(given.memory),
  }
}

function parametersOf({ contextTakeover, windowBits }: DeflateOptions, base: DeflateParameters): DeflateParameters {
  const context = each(contextTakeover)
  const window = each(windowBits)
  return {
    serverNoContextTakeover: context.server === undefined ? base.serverNoContextTakeover : !context.server,
    clientNoContextTakeover: context.client === undefined ? base.clientNoContextTakeover : !context.client,
    serverMaxWindowBits: window.server ?? base.serverMaxWindowBits,
    clientMaxWindowBits: window.client ?? base.clientMaxWindowBits,
  }
}

/** One value for both directions, or one for each. */
function each<Value extends boolean | number>(
  value: Value | EachDirection<Value> | undefined,
): { readonly server?: Value | undefined; readonly client?: Value | undefined } {
  return typeof value === 'object' ? value : { server: value, client: value }
}
