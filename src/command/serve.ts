// `millrace` without `bench`: runs a target until it is told to stop, and writes down what becomes of it.
import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { ignoreSignals, onSignals } from '../cluster/signals.js'
import { Target } from '../target/target.js'
import type { TargetCloseOptions } from '../target/targetOptions.js'
import type { Broker } from '../topics/broker.js'
import type { Command } from './arguments.js'
import { ConnectionLog } from './connectionLog.js'
import { explain, isOfPlace } from './explain.js'
import { type Log, openLog } from './log.js'
import { UsageError } from './options.js'

type ServeCommand = Extract<Command, { name: 'serve' }>

/** Where a certificate and its key are. */
type Files = NonNullable<ServeCommand['listen']['tls']>

/** Resolves when it listens. */
export async function serve(command: ServeCommand, version: string): Promise<void> {
  const { log: choice = { format: 'text', level: 'info', connections: false } } = command
  const log = openLog(choice)
  const target = new Target(await optionsOf(command, log), choice.connections ? new ConnectionLog(log) : undefined)
  const service = new Service(command, target, log, version)
  if (cluster.isWorker)
    ignoreSignals() // the primary gets the same signals, and speaks for its acceptors
  else service.obeySignals()
  try {
    await target.listen()
  } catch (error) {
    // Ended by a signal: the process is about to exit with 0, and nobody must hear of a failure before.
    if (service.stopping) await new Promise(() => undefined)
    throw isOfPort(error, command.target?.adminPort) ? new UsageError(explain(error, '--admin-port')) : error
  }
  if (!cluster.isWorker) await service.started()
}

/** Whether it is that port on which nobody could listen. */
function isOfPort(error: unknown, port: number | undefined): boolean {
  return port !== undefined && isOfPlace(error) && Object(error).port === port
}

async function optionsOf(command: ServeCommand, log: Log): Promise<ConstructorParameters<typeof Target>[0]> {
  const { listen, limits, deflate = false, broker, target, stop } = command
  const { tls, ...place } = listen
  return {
    ...place,
    ...target,
    ...(stop?.drainCode === undefined ? {} : { drainCode: stop.drainCode }),
    signals: false,
    log: (line) => log.error(line.replace(/^millrace: /, ''), { event: 'crash' }),
    limits,
    deflate,
    ...(broker === undefined ? {} : { broker: await brokerAt(broker) }),
    ...(tls === undefined ? {} : { tls: certificateIn(tls) }),
  }
}

/** Only a server with a broker loads what Redis needs. */
async function brokerAt(url: string): Promise<Broker> {
  const { redisBroker } = await import('../brokers/redisBroker.js')
  return redisBroker(url)
}

function certificateIn({ cert, key }: Files): { cert: Buffer; key: Buffer } {
  return { cert: contentOf(cert), key: contentOf(key) }
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UsageError(`${file} can't be read (${explain(error)})`)
  }
}

/** A target in the life of its process. */
class Service {
  stopping = false
  readonly #command: ServeCommand
  readonly #target: Target
  readonly #log: Log
  readonly #version: string
  #reloading: Promise<void> | undefined

  constructor(command: ServeCommand, target: Target, log: Log, version: string) {
    this.#command = command
    this.#target = target
    this.#log = log
    this.#version = version
  }

  /** The first SIGTERM or SIGINT closes the target gracefully; a second one ends it. SIGHUP reloads. */
  obeySignals(): void {
    if (this.#format !== 'text')
      process.on('uncaughtExceptionMonitor', (err) => this.#log.error('it crashed', { event: 'crash', err }))
    const { acceptors, tls } = this.#command.listen
    const reload = acceptors === undefined ? tls && (() => this.#renew(tls)) : () => this.#reload()
    onSignals({
      ...(reload === undefined ? {} : { reload }),
      stop: () => this.#stop(),
      kill() {
        for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL')
      },
    })
  }

  /** Says where it listens. */
  async started(): Promise<void> {
    const { listen, json } = this.#command
    const { url, httpUrl, adminPort } = this.#target
    const { processes } = await this.#target.statistics()
    const facts = { url, http: httpUrl, adminPort, processes: processes.length, version: this.#version }
    if (json === true) console.log(JSON.stringify({ event: 'start', pid: process.pid, ...facts }))
    const count = processes.length
    const by = listen.acceptors === undefined ? '' : `, with ${count} ${count === 1 ? 'acceptor' : 'acceptors'}`
    const text = `listens on ${listen.path ?? httpUrl} and echoes ${url} (GET /paths lists what else)${by}`
    if (this.#format !== 'text') this.#log.info(text, { event: 'start', ...facts })
    else if (json !== true) console.log(`millrace ${text}`)
  }

  get #format(): string {
    return this.#command.log?.format ?? 'text'
  }

  async #stop(): Promise<void> {
    this.stopping = true
    const { connections, handshakes } = await this.#target.statistics()
    if (connections > 0 || this.#format !== 'text') {
      const text = `closing ${connections} ${connections === 1 ? 'connection' : 'connections'}`
      this.#log.info(text, { event: 'stop', connections, handshakes })
    }
    await this.#target.close(this.#drain())
    const uptime = Math.round(process.uptime() * 1000)
    if (this.#command.json === true) console.log(JSON.stringify({ event: 'end', connections, handshakes, uptime }))
  }

  /** What was asked for of the end; without it, everything is closed at once. */
  #drain(): TargetCloseOptions {
    const { listen, stop } = this.#command
    return {
      ...(stop?.drainCode === undefined ? {} : { code: stop.drainCode }),
      ...(stop?.drainNotice === undefined ? {} : { notice: stop.drainNotice }),
      ...(listen.drainAfter === undefined ? {} : { drainAfter: listen.drainAfter }),
      ...(listen.drainOver === undefined ? {} : { drainOver: listen.drainOver }),
    }
  }

  /** Several signals are one reload, and one line. */
  #reload(): void {
    const reloaded = this.#target.server.reload()
    if (reloaded === this.#reloading) return
    this.#reloading = reloaded
    reloaded.then(
      () => this.#log.info('every acceptor was replaced', { event: 'reload' }),
      (error: unknown) => this.#log.error(`nothing was reloaded: ${explain(error)}`, { event: 'reload' }),
    )
  }

  /** A certificate that can't be read, or used, leaves the one that is in force. */
  #renew(tls: Files): void {
    try {
      this.#target.server.setSecureContext(certificateIn(tls))
      this.#log.info('the certificate was read again, and new connections get it', { event: 'reload' })
    } catch (error) {
      this.#log.error(`the certificate was not replaced: ${explain(error)}`, { event: 'reload' })
    }
  }
}
