// The target's server, with the limits that a test asks for: it listens where the test says.
import type { Server } from '../../src/cluster/server.js'
import type { ServerLimits } from '../../src/server/options.js'
import type { ServedOptions } from '../../src/target/targetOptions.js'
import { TargetServer } from '../../src/target/targetServer.js'

export function createEchoServer(
  limits: Partial<ServerLimits> = {},
  more: Pick<ServedOptions, 'broker' | 'deflate'> = {},
): Server {
  return new TargetServer({ limits, ...more }).server
}
