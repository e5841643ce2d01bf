// What travels between a server's thread and the pool's: numbers, never payloads.

/** The shared memory; growing it in one thread grows it in all. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer
}

/** What a thread of the pool begins with. */
export interface ThreadData {
  readonly memory: SharedMemory
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
export type Answer = { readonly echo: true } | { readonly echo: false; readonly value: unknown }

/** How a task ended. That a message is no JSON is told apart here: an error loses its class on its way between threads. */
export type Outcome = Answer | { readonly invalidJson: string }
