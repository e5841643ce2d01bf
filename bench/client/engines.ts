// The clients that are compared, each in a process of its own: what opens a connection, and tells of each message.
import type { ClientOptions } from '../../src/client.js'
import type { Connect } from './program.js'

/** `ws` masks in JavaScript; with bufferutil, which is installed beside it, it masks in C. `bare` is no client of the protocol. */
export const ENGINES = ['millrace', 'ws', 'ws with bufferutil', 'undici', 'bare'] as const

export type Engine = (typeof ENGINES)[number]

/** What the environment of an engine's process says. */
export function environmentOf(engine: Engine): Record<string, string> {
  return engine === 'ws' ? { WS_NO_BUFFER_UTIL: '1' } : {}
}

/** Loads an engine, and nothing else: memory is measured, too. */
export async function loaded(engine: Engine): Promise<Connect> {
  if (engine === 'millrace') return millrace()
  if (engine === 'bare') return (await import('./bare.js')).openBare
  return engine === 'undici' ? undici() : ws()
}

async function millrace(): Promise<Connect> {
  const { connect } = await import('../../src/client.js')
  // As the guide says of many connections: one object of options, whose handlers are told of each connection.
  const options: ClientOptions<(bytes: number) => void> = {
    maxMessage: 16 * 1024 * 1024,
    message: ({ data: received }, { byteLength }) => received(byteLength),
  }
  return async (url, received) => {
    const connection = await connect(url, options)
    connection.data = received
    return { send: (bytes) => void connection.send(bytes), end: () => connection.terminate() }
  }
}

async function ws(): Promise<Connect> {
  const { WebSocket } = await import('ws')
  return (url, received) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { perMessageDeflate: false })
      socket.on('message', (data: Buffer) => received(data.length))
      socket.on('error', reject)
      socket.on('open', () => resolve({ send: (bytes) => socket.send(bytes), end: () => socket.terminate() }))
    })
}

async function undici(): Promise<Connect> {
  const { WebSocket } = await import('undici')
  return (url, received) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url)
      socket.binaryType = 'arraybuffer'
      socket.onmessage = ({ data }) => received((data as ArrayBuffer).byteLength)
      socket.onerror = () => reject(new Error('undici could not connect'))
      socket.onopen = () => resolve({ send: (bytes) => socket.send(bytes), end: () => socket.close() })
    })
}
