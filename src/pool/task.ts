// What travels between a server's thread and the pool's: numbers, never payloads.
import type { ErrorCode } from '../checks/errors.js'

/** The shared memory; growing it in one thread grows it in all. */
export interface MappedMemory {
  readonly buffer: SharedArrayBuffer
}

/** What a thread of the pool begins with. */
export interface ThreadData {
  readonly memory: MappedMemory
  /** The URL of the application's module. */
  readonly module: string
}

export interface Task {
  readonly pointer: number
  /** Bytes, or -1 to load the module and do no more. */
  readonly length: number
  readonly isText: boolean
  readonly data: unknown
}

/** What the application's function returned: the message itself, which stays where it is, or something else. */
export type LargeResult = { readonly echo: true } | { readonly echo: false; readonly value: unknown }

/** An error of the catalogue, as fields: an error loses its class and its code between threads. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly stack: string | undefined
  /** Whether the error is an InvalidJson about the task's own message. */
  readonly fromMessage: boolean
}

/** How a task ended. */
export type Outcome = LargeResult | { readonly failure: Failure }
