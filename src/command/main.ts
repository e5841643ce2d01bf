// The command `millrace`: runs the target of `target/` until it is told to stop, or loads another server.
import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { onSignals } from '../cluster/signals.js'
import type { Broker, Server } from '../index.js'
import { startTarget } from '../target/target.js'
import { type Command, helpText, parseArguments, UsageError } from './arguments.js'
import { benchHelpText } from './bench/arguments.js'

run(process.argv.slice(2)).catch((error: unknown) => {
  const help = process.argv[2] === 'bench' ? 'millrace bench --help' : 'millrace --help'
  const hint = error instanceof UsageError ? `; see ${help}` : ''
  console.error(`millrace: ${explain(error)}${hint}`)
  process.exitCode = 1
})

async function run(args: readonly string[]): Promise<void> {
  const command = parseArguments(args)
  if (command.name === 'help') console.log(helpText(version()))
  else if (command.name === 'version') console.log(version())
  else if (command.name === 'benchHelp') console.log(benchHelpText)
  else if (command.name === 'bench') {
    // A server needs no load client.
    const { bench } = await import('./bench/command.js')
    process.exitCode = await bench(command)
  } else await serve(command)
}

async function serve({ listen, limits, deflate, broker }: Extract<Command, { name: 'serve' }>): Promise<void> {
  const { tls, ...place } = listen
  const target = await startTarget({
    ...place,
    limits,
    deflate: deflate ?? false,
    ...(broker === undefined ? {} : { broker: await brokerAt(broker) }),
    ...(tls === undefined ? {} : { tls: certificateIn(tls) }),
  })
  const { server } = target
  if (cluster.isWorker) return // the primary speaks for its acceptors
  const { acceptors } = place
  if (acceptors === undefined) obeySignals(server, tls)
  const page = place.path ?? target.httpUrl
  const count = (await server.statistics()).length
  const by = acceptors === undefined ? '' : `, with ${count} ${count === 1 ? 'acceptor' : 'acceptors'}`
  console.log(`millrace listens on ${page} and echoes ${target.url} (GET /paths lists what else)${by}`)
}

/** Only a server with a broker loads what Redis needs. */
async function brokerAt(url: string): Promise<Broker> {
  const { redisBroker } = await import('../brokers/redisBroker.js')
  return redisBroker(url)
}

/** Where a certificate and its key are. */
type Files = NonNullable<Extract<Command, { name: 'serve' }>['listen']['tls']>

function certificateIn({ cert, key }: Files): { cert: Buffer; key: Buffer } {
  return { cert: contentOf(cert), key: contentOf(key) }
}

/** The first SIGTERM or SIGINT closes the server gracefully; a second one ends it. SIGHUP renews the certificate. */
function obeySignals(server: Server, tls: Files | undefined): void {
  onSignals({
    ...(tls === undefined ? {} : { reload: () => renew(server, tls) }),
    stop() {
      const { size } = server.connections
      if (size > 0) console.error(`millrace: closing ${size} ${size === 1 ? 'connection' : 'connections'}`)
      return server.close()
    },
  })
}

/** A certificate that can't be read, or used, leaves the one that is in force. */
function renew(server: Server, tls: Files): void {
  try {
    server.setSecureContext(certificateIn(tls))
    console.error('millrace: the certificate was read again, and new connections get it')
  } catch (error) {
    console.error(`millrace: the certificate was not replaced: ${explain(error)}`)
  }
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UsageError(`${file} can't be read (${error instanceof Error ? error.message : error})`)
  }
}

function version(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}

/** What went wrong, in a line. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, address, port }: NodeJS.ErrnoException & { address?: string; port?: number } = error
  if (code === 'EADDRINUSE') return `port ${port} is taken on ${address}: choose another with --port, or 0 for any`
  if (code === 'EACCES') return `this user may not listen on port ${port}: choose one from 1024 with --port`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return 'this machine has no such address: choose another with --host'
  return error.message.split('\n', 1)[0] ?? ''
}
