// Whether a place to listen on can be reached from this machine alone.
import { BlockList, isIP } from 'node:net'
import type { ListenOptions } from '../server/listener.js'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** A descriptor was opened by somebody else, and a name may mean any address: neither is taken for this machine's own. */
export function isLoopback({ host, path, fd }: Pick<ListenOptions, 'host' | 'path' | 'fd'>): boolean {
  if (fd !== undefined) return false
  if (path !== undefined) return true
  if (host === undefined) return false
  if (host === 'localhost') return true
  const family = isIP(host)
  return family !== 0 && loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}
