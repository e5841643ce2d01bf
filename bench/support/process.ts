// A process under measurement: where it runs, what it has cost so far, and how much memory it holds.
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const linux = process.platform === 'linux'

/** A server that listens. */
export interface RunningServer {
  readonly url: string
  readonly pid: number
  /** What it says of its own CPU time, where the system does not tell it of other processes. */
  readonly usage?: (() => Promise<Usage>) | undefined
  stop(): Promise<void>
}

/** CPU time of a process so far, in microseconds: of all threads, and of its main thread, where the system tells. */
export interface Usage {
  readonly cpu: number
  readonly mainThread: number
}

/** Whether the system tells the CPU time of other processes by the nanosecond. */
export const tellsUsage: boolean = linux

/** Whether server and client can be given a core each. */
export const canPin: boolean = linux && availableParallelism() >= 2 && succeeds('taskset', ['-c', '0,1', 'true'])

/** The command that runs another on one core, where that can be. */
export function pinned(core: number, command: readonly string[]): readonly [string, ...string[]] {
  const [program = '', ...args] = command
  return canPin ? ['taskset', '-c', String(core), program, ...args] : [program, ...args]
}

/** Moves all threads of this process to one core. */
export function pinThisProcess(core: number): void {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)])
}

/**
 * Has a process leave its core at once to whoever wants it, where the system can. A low priority does not do that: Linux
 * lets whoever has a core keep it for a slice, of up to four milliseconds by the clock of the kernel.
 */
export function leaveCore(pid: number): void {
  if (linux) spawnSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(pid)])
}

/** CPU time of all threads of a process so far, in microseconds. */
export function cpuTime(pid: number): number {
  if (!linux) return cpuTimeByPs(pid)
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + threadTime(pid, thread), 0)
}

/** Resolves with a server's CPU time of the moment of the call. */
export async function usageOf({ pid, usage }: RunningServer): Promise<Usage> {
  if (usage !== undefined) return usage()
  return { cpu: cpuTime(pid), mainThread: linux ? threadTime(pid, String(pid)) : 0 }
}

function threadTime(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1000
  } catch {
    return 0 // it has ended since it was listed
  }
}

/** Resident memory of a process, now and at its highest, in bytes; 0 where the system does not tell. */
export function memory(pid: number): { readonly now: number; readonly peak: number } {
  if (!linux) return { now: 0, peak: 0 }
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024
  return { now: read('VmRSS'), peak: read('VmHWM') }
}

/** `ps` counts in hundredths of a second: rounds must be long for it. */
function cpuTimeByPs(pid: number): number {
  const text = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  return text.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0) * 1e6
}

export function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
