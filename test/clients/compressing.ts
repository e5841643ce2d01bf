// An echo server whose compression each client chooses by its query, so that real clients can be tried with every
// combination of parameters; and what they send. It answers in turn with a whole message, in fragments and with a stream.
import { Buffer } from 'node:buffer'
import {
  type Connection,
  createServer,
  type DeflateOptions,
  type Message,
  type MessageStream,
  route,
  type Server,
} from '../../src/index.js'
import { jsonDocument } from '../codec/documents.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import type { Payload } from './payloads.js'

/** What a server is set to. */
export interface ServerSide {
  readonly serverTakeover: boolean
  readonly clientTakeover: boolean
  readonly serverBits: number
  readonly clientBits: number
}

const BITS = [8, 9, 10, 11, 12, 13, 14, 15]

/** Every setting of a server; in the quick suite each window with itself and the largest, and takeover in turns. */
export function serverSides(): readonly ServerSide[] {
  const all = BITS.flatMap((serverBits) =>
    BITS.flatMap((clientBits) =>
      [true, false].flatMap((serverTakeover) =>
        [true, false].map((clientTakeover) => ({ serverTakeover, clientTakeover, serverBits, clientBits })),
      ),
    ),
  )
  const few = all.filter(
    ({ serverBits, clientBits, serverTakeover, clientTakeover }, at) =>
      (serverBits === clientBits && serverTakeover && clientTakeover) || at % 61 === 0,
  )
  return effort({ quick: few, full: all })
}

export function queryOf({ serverTakeover, clientTakeover, serverBits, clientBits }: ServerSide): string {
  return `st=${serverTakeover ? 1 : 0}&ct=${clientTakeover ? 1 : 0}&sb=${serverBits}&cb=${clientBits}`
}

function deflateOf(parameters: URLSearchParams): DeflateOptions {
  const number = (name: string): number => Number(parameters.get(name))
  return {
    contextTakeover: { server: number('st') === 1, client: number('ct') === 1 },
    windowBits: { server: number('sb'), client: number('cb') },
    threshold: 0,
  }
}

/** How many messages a connection has been answered, and when the last answer is out: a stream takes its time. */
const answers = new WeakMap<Connection, { readonly count: number; readonly sent: Promise<void> }>()
const PIECE = 20_000

/** Answers with the same message, behind the answers before it. */
function answer(connection: Connection, data: string | Buffer | Promise<string | Buffer>): Promise<void> {
  const { count, sent } = answers.get(connection) ?? { count: 0, sent: Promise.resolve() }
  const next = sent.then(async () => sendIn(connection, await data, count))
  answers.set(connection, { count: count + 1, sent: next })
  return next
}

/** Whole, in fragments, or as a stream. */
async function sendIn(connection: Connection, data: string | Buffer, count: number): Promise<void> {
  const pieces: (string | Buffer)[] = []
  for (let at = 0; at === 0 || at < data.length; at += PIECE) {
    pieces.push(typeof data === 'string' ? data.slice(at, at + PIECE) : data.subarray(at, at + PIECE))
  }
  if (count % 3 === 0) connection.send(data, { compress: true })
  else if (count % 3 === 1)
    for (const [at, piece] of pieces.entries()) connection.sendFragment(piece, at === pieces.length - 1)
  else await connection.sendStream(pieces, { binary: typeof data !== 'string' })
}

async function collected(stream: MessageStream): Promise<string | Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  return stream.isText ? bytes.toString() : bytes
}

/** Has the paths `/whole`, and `/streamed`, which reads each message as a stream. */
export function compressingServer(publicApi: boolean): Server {
  const upgrade = (request: { readonly query: URLSearchParams }) => ({ deflate: deflateOf(request.query) })
  return createServer({
    publicApi,
    maxMessage: 2 * 1024 * 1024,
    routes: {
      '/whole': route({
        upgrade,
        message: (connection: Connection, message: Message) =>
          answer(connection, message.isText ? message.text() : message.bytes),
      }),
      '/streamed': route({
        upgrade,
        streamThreshold: 0,
        stream: (connection: Connection, stream: MessageStream) => answer(connection, collected(stream)),
      }),
    },
  })
}

/** Messages of no byte, one, 1 KiB, 70 KB, and where `long` is set 1 MiB: as text and as bytes, and some of them again. */
export function compressedPayloads(long: boolean): readonly Payload[] {
  const random = new Random(seed)
  const lengths = [0, 1, 1024, 1024, 70_000, ...(long ? [1_048_576] : [])]
  const texts = lengths.map((length) => jsonDocument(random, 70_000).toString('latin1').repeat(16).slice(0, length))
  return [...texts, ...texts.map((text) => Buffer.from(text)), random.bytes(3000), texts[2] ?? '']
}

/** Bytes of a message that is half as long again as the longest window of the server's. */
export function beyond({ serverBits, clientBits }: ServerSide): number {
  return 3 * 2 ** (Math.max(serverBits, clientBits) - 1)
}

/** The same text twice, and bytes that reach beyond every window: the shortest that show whether both sides keep to one. */
export function payloadsBeyond(side: ServerSide): readonly Payload[] {
  const random = new Random(seed)
  const text = jsonDocument(random, 1024).toString('latin1').slice(0, 900)
  return [text, text, jsonDocument(random, beyond(side))]
}
