// The packages that millrace is compared with, with types for what their own types leave out.
import { createRequire } from 'node:module'
import * as wsModule from 'ws'

type Unmask = (buffer: Buffer, key: Buffer) => void
type Mask = (source: Buffer, key: Buffer, output: Buffer, offset: number, length: number) => void

interface Masking {
  readonly mask: Mask
  readonly unmask: Unmask
}

export interface WsReceiver {
  write(chunk: Buffer): boolean
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this
  on(event: 'error', listener: (error: Error) => void): this
}

export interface WsSender {
  send(data: Buffer, options: { fin: boolean; binary: boolean; compress: boolean; mask: boolean }): void
}

/** What a Sender needs of its socket. */
export interface NullSocket {
  cork(): void
  write(chunk: Buffer): boolean
  uncork(): void
}

interface WsInternals {
  readonly Receiver: new (options: { isServer: boolean; maxPayload: number }) => WsReceiver
  readonly Sender: new (socket: NullSocket) => WsSender
}

// Neither addon has types, and their plain JavaScript is a file of each package.
const load: (name: string) => unknown = createRequire(import.meta.url)

export const bufferutil = load('bufferutil') as Masking
export const utf8Validate = load('utf-8-validate') as (bytes: Buffer) => boolean

/** The loops that ws falls back to where the addons are missing: plain JavaScript, as anyone would write it. */
export const plainMasking = load('bufferutil/fallback.js') as Masking
export const plainUtf8 = load('utf-8-validate/fallback.js') as (bytes: Buffer) => boolean

/** ws exports both since version 8, its types don't. It uses bufferutil (from 32 bytes on) and buffer.isUtf8 itself. */
export const { Receiver, Sender } = wsModule as unknown as WsInternals

/** True if an addon runs, and not the fallback that it exports where it has no binary. */
export const addonsAreNative = bufferutil.unmask !== plainMasking.unmask && utf8Validate !== plainUtf8
