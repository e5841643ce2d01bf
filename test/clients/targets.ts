// The echo server in the three ways in which bytes reach it, so that one suite runs over each.
import type { ClientOptions } from 'ws'
import { createEchoServer } from '../../src/target/echoServer.js'
import { CliProcess } from '../target/cliProcess.js'

export interface Target {
  readonly url: string
  close(): Promise<unknown>
}

export interface TargetKind {
  readonly name: string
  /** What a client must ask for to get there. */
  readonly options: ClientOptions
  open(): Promise<Target>
}

/** An echo server in this process. */
export async function openHere(): Promise<Target> {
  const server = await createEchoServer().listen({ host: '127.0.0.1' })
  return { url: `ws://127.0.0.1:${server.address?.port}`, close: () => server.close() }
}

export const targetKinds: readonly TargetKind[] = [
  { name: 'accepted at the handle', options: {}, open: openHere },
  // A header that the plain lane does not take.
  { name: 'through node:http', options: { headers: { TE: 'trailers' } }, open: openHere },
  { name: 'over the public API only', options: {}, open: () => CliProcess.start([], { MILLRACE_PUBLIC_API: '1' }) },
]
