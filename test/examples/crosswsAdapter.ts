// The adapter of crossws as its tests see it: the members that they use, and an HTTP server that it is on.
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Server } from '../../src/index.js'
import type { UserProject } from '../support/userProject.js'

export interface Peer {
  readonly id: string
  readonly namespace: string
  readonly remoteAddress: string | undefined
  readonly bufferedAmount: number
  readonly context: Record<string, unknown>
  readonly request: Request
  readonly websocket: Readonly<Record<'readyState' | 'protocol' | 'extensions' | 'url', unknown>>
  readonly peers: Set<Peer>
  readonly topics: Set<string>
  send(data: unknown, options?: { readonly compress?: boolean }): unknown
  publish(topic: string, data: unknown): void
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  close(code?: number, reason?: string): void
  terminate(): void
  ping(data?: string): void
  waitForDrain(options?: { readonly pollInterval?: number }): Promise<void>
}
export interface Message {
  text(): string
  readonly rawData: unknown
}
export interface Hooks {
  upgrade?(request: Request): unknown
  open?(peer: Peer): unknown
  message?(peer: Peer, message: Message): unknown
  close?(peer: Peer, details: { readonly code: number; readonly reason: string }): unknown
  drain?(peer: Peer): unknown
  ping?(peer: Peer, data: Uint8Array): unknown
  pong?(peer: Peer, data: Uint8Array): unknown
  error?(peer: Peer, error: Error): unknown
}
export interface Adapter {
  readonly peers: Map<string, Set<Peer>>
  readonly server: Server
  handleUpgrade(...listener: unknown[]): Promise<void>
  publish(topic: string, data: unknown, options?: { readonly namespace?: string }): void
  close(code?: number, reason?: string): Promise<void>
  closeAll(code?: number, reason?: string, force?: boolean): void
}
export interface Options {
  readonly hooks?: Hooks
  readonly resolve?: (request: Request) => Hooks | Promise<Hooks>
  readonly server?: object
  readonly idleTimeout?: number
  readonly handleProtocols?: (protocols: Set<string>) => string | false
  readonly sync?: unknown
}
export interface Serving {
  readonly adapter: Adapter
  readonly port: number
  end(): Promise<void>
}

/** An HTTP server with the adapter. */
export async function serve(project: UserProject, options: Options): Promise<Serving> {
  const { millraceAdapter } = (await project.import('./compiled/crossws/adapter.js')) as {
    millraceAdapter(options: Options): Adapter
  }
  const adapter = millraceAdapter({ ...options, server: { closeTimeout: 500, ...options.server } })
  const http = createHttpServer((_, response) => response.end('a page'))
  http.on('upgrade', adapter.handleUpgrade)
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const { port } = http.address() as AddressInfo
  const end = async (): Promise<void> => {
    http.close()
    await adapter.close()
    await adapter.server.close()
  }
  return { adapter, port, end }
}
