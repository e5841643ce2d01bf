// What an acceptor inherits from the primary that starts it: variables of its environment, and open descriptors.
import cluster from 'node:cluster'
import { isMainThread } from 'node:worker_threads'
import { makeSecret } from './seal.js'

/** The descriptor of the link: the one after the channel of node:cluster. */
export const LINK_DESCRIPTOR = 4
/** The descriptor of the file with the tally. */
export const TALLY_DESCRIPTOR = 5

/** In the environment of acceptors: the id of the primary. Processes that an acceptor starts inherit the variable, too. */
const PRIMARY = 'MILLRACE_PRIMARY'
/** In the environment of acceptors: the ports of those before them, for each `listen` that leaves its own open. */
const PORTS = 'MILLRACE_PORTS'
/** In the environment of acceptors: which one it is, from 0 on. */
const PLACE = 'MILLRACE_PLACE'
/** In the environment of acceptors, until they listen: what only this one and its primary know. */
const SECRET = 'MILLRACE_SECRET'

/** What tells a process that it is an acceptor of this one. */
export function acceptorEnvironment(place: number, ports: readonly number[]): NodeJS.ProcessEnv {
  return { [PRIMARY]: String(process.pid), [PORTS]: JSON.stringify(ports), [PLACE]: String(place) }
}

/** What tells an acceptor the secret that is its own. */
export function secretEnvironment(secret: string): NodeJS.ProcessEnv {
  return { [SECRET]: secret }
}

/** Whether this process is an acceptor. */
export function isAcceptor(): boolean {
  return isMainThread && cluster.isWorker && process.env[PRIMARY] === String(process.ppid)
}

/** The ports of the acceptors before this one, for each `listen` that leaves its own open. */
export function inheritPorts(): number[] {
  return JSON.parse(process.env[PORTS] ?? '[]')
}

/** Which acceptor this process is, from 0 on. */
export function inheritPlace(): number {
  return Number(process.env[PLACE])
}

/** Takes the secret out of the environment, because nothing that this process starts needs it. Without one, makes one. */
export function takeSecret(): string {
  const { [SECRET]: secret = makeSecret() } = process.env
  delete process.env[SECRET]
  return secret
}
