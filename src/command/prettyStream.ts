// The log for people, by pino-pretty.
import { packageFor } from '../internals/packages.js'

type Pretty = Pick<typeof import('pino-pretty'), 'build'>

export function prettyStream(): NodeJS.WritableStream {
  const { build } = packageFor<Pretty>('--log pretty', 'pino-pretty')
  return build({ sync: true, colorize: process.stdout.isTTY === true, ignore: 'name,pid' })
}
