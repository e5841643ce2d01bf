// The target's server, with the limits that a test asks for: it listens where the test says.
import type { Server } from '../../src/cluster/server.js'
import type { ServerLimits } from '../../src/server/options.js'
import { targetPaths } from '../../src/target/paths.js'
import type { ServedOptions } from '../../src/target/targetOptions.js'
import { TargetState } from '../../src/target/targetState.js'

export function createEchoServer(
  limits: Partial<ServerLimits> = {},
  more: Pick<ServedOptions, 'broker' | 'deflate'> = {},
): Server {
  return new TargetState(targetPaths, { limits, ...more }).server
}
