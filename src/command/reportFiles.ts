// Files for reports: whether one can be written is asked before the work whose report it is, which may take an hour.
import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from './options.js'

/** A file, and the option that names it, without dashes. */
export type NamedFile = readonly [option: string, file: string | undefined]

/** Throws a UsageError for the first that can't be written. Writes nothing. */
export function mustBeWritable(files: readonly NamedFile[]): void {
  for (const [option, file] of files) {
    const problem = file === undefined ? undefined : problemWith(file)
    if (problem !== undefined) throw new UsageError(`--${option}: ${file} can't be written (${problem})`)
  }
}

/** Returns what went wrong, if anything. */
export function writeReport(file: string, content: string): string | undefined {
  try {
    writeFileSync(file, content)
    return undefined
  } catch (error) {
    return `${file} can't be written (${messageOf(error)})`
  }
}

function problemWith(file: string): string | undefined {
  try {
    const known = statSync(file, { throwIfNoEntry: false })
    if (known?.isDirectory() === true) return 'it is a directory'
    accessSync(known === undefined ? dirname(file) : file, constants.W_OK)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
