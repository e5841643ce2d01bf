// The command `millrace`: runs the target of `target/` until it is told to stop, or loads another server.
import { readFileSync } from 'node:fs'
import { helpText, parseArguments, UsageError } from './arguments.js'
import { benchHelpText } from './bench/help.js'
import { explain } from './explain.js'
import { serve } from './serve.js'
import { exitCodeFor, mindStreams, print } from './standardStreams.js'

mindStreams()
run(process.argv.slice(2)).catch((error: unknown) => {
  const [, , command = ''] = process.argv
  const help = ['bench', 'conform'].includes(command) ? `millrace ${command} --help` : 'millrace --help'
  const hint = error instanceof UsageError ? `; see ${help}` : ''
  console.error(`millrace: ${explain(error)}${hint}`)
  process.exitCode = 1
})

async function run(args: readonly string[]): Promise<void> {
  if (args[0] === 'conform') {
    // A server needs no cases.
    const { runConform } = await import('./conform/main.js')
    process.exitCode = exitCodeFor(await runConform(args.slice(1)))
    return
  }
  const command = parseArguments(args, process.env)
  if (command.name === 'help') print(helpText(version()))
  else if (command.name === 'version') print(version())
  else if (command.name === 'benchHelp') print(benchHelpText)
  else if (command.name === 'bench') {
    // A server needs no load client.
    const { bench } = await import('./bench/command.js')
    process.exitCode = exitCodeFor(await bench(command, version()))
  } else await serve(command, version())
}

function version(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}
