// A program of its own, run by tests under flags of Node: an echo server and its client in one process. It prints what
// it found as JSON, and must end by itself.
import { createServer } from '../../src/index.js'
import { bindings } from '../../src/internals/node.js'
import { BINARY, masked, TEXT } from './frames.js'
import { upgradeRequest } from './httpRequests.js'
import { SocketClient } from './socketClient.js'

export interface EchoReport {
  readonly privateApi: boolean
  readonly echo: string
  readonly large: boolean
  readonly warnings: readonly string[]
}

const warnings: string[] = []
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`))

const server = createServer({ message: (connection, message) => connection.send(message) })
await server.listen({ host: '127.0.0.1' })
const client = await SocketClient.open(server.address?.port ?? 0)
const large = Buffer.alloc(300_000, 'pattern of eleven')
client.write(upgradeRequest())
client.write(masked(TEXT, 'echo'))
client.write(masked(BINARY, large))
const [first, second] = await client.frames(2)
await client.destroy()
await server.close()

const report: EchoReport = {
  privateApi: bindings() !== undefined,
  echo: first?.payload.toString() ?? '',
  large: second?.payload.equals(large) === true,
  warnings,
}
console.log(JSON.stringify(report))
