// `millrace conform`, from its arguments to its exit code.
import { print } from '../standardStreams.js'
import { conformHelpText, parseConformArguments } from './arguments.js'
import { conform, list } from './command.js'

/** Does what the arguments after `conform` ask for; returns the exit code. Throws a UsageError for those that are wrong. */
export async function runConform(args: readonly string[]): Promise<number> {
  const command = parseConformArguments(args)
  if (command.name === 'conform') return conform(command.conform)
  if (command.name === 'conformList') list(command.cases)
  else print(conformHelpText)
  return 0
}
