// How a message of millrace/ws is sent, as its options say.
import { Flag } from './sendFlags.js'

/** How a message is sent. */
export interface SendOptions {
  /** Whether it is binary. Default: unless it is a string. */
  readonly binary?: boolean | undefined
  /** Whether it is compressed, if that was agreed on. Default: true. */
  readonly compress?: boolean | undefined
  /** Whether it is the last fragment. Default: true. */
  readonly fin?: boolean | undefined
  /** Whether its frame is masked. Default: whether this side is the client, as the protocol demands. */
  readonly mask?: boolean | undefined
}

const TEXT = Flag.fin | Flag.compress
const BINARY = TEXT | Flag.binary

/** The flags of a message without options. */
export function plainFlags(data: unknown): number {
  return typeof data === 'string' || typeof data === 'number' ? TEXT : BINARY
}

/** What is in the options counts, even where it is undefined. */
export function flagsOf(data: unknown, options: SendOptions, isServer: boolean): number {
  let flags = plainFlags(data)
  if ('binary' in options) flags = options.binary ? flags | Flag.binary : flags & ~Flag.binary
  if ('compress' in options && !options.compress) flags &= ~Flag.compress
  if ('fin' in options && !options.fin) flags &= ~Flag.fin
  if ('mask' in options && Boolean(options.mask) === isServer) flags |= Flag.otherMask
  return flags
}
