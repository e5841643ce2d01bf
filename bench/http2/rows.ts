// What is asked of WebSockets over HTTP/2, next to those over HTTP/1.1 by the public API.

export interface Row {
  readonly name: string
  readonly secure: boolean
  /** The most that it may be of what HTTP/1.1 takes; Infinity where the row is only reported. */
  readonly goal: number
  /** What is sent; undefined where memory is measured. */
  readonly echo?: { readonly connections: number; readonly size: number; readonly pipeline: number }
}

const KIB = 1024

/** So many connections that the server is busy; over HTTP/2, all of them are streams of one session. */
const CONNECTIONS = 16

function echoes(secure: boolean): Row[] {
  const where = secure ? 'TLS' : 'plain'
  const row = (size: number, pipeline: number, goal: number, connections = CONNECTIONS): Row => ({
    name: `${where}, ${size} B, ${pipeline} in flight, ${connections} ${connections === 1 ? 'connection' : 'connections'}`,
    secure,
    goal,
    echo: { connections, size, pipeline },
  })
  return [
    row(128, 1, 1.5),
    row(128, 16, 1),
    row(128, 1, 1.5, 1),
    row(128, 16, 1, 1),
    row(16 * KIB, 1, Infinity),
    row(16 * KIB, 16, Infinity),
  ]
}

export const MEMORY_CONNECTIONS = 100

export const rows: readonly Row[] = [
  ...echoes(false),
  ...echoes(true),
  { name: `TLS, memory of ${MEMORY_CONNECTIONS} connections`, secure: true, goal: 0.6 },
]
