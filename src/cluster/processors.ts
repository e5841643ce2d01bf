// How many processors this process may use: those of the machine that it is allowed to run on, within the limit of its
// control group. os.availableParallelism knows that limit only from Node 22 on.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { posix } from 'node:path'

/** At least 1. A limit of one processor and a half is one. `root` is where the file system begins. */
export function processors(root = '/'): number {
  return Math.max(1, Math.floor(Math.min(availableParallelism(), ...limits(root))))
}

/** The limits of this process's control group and of those above it, in processors. */
function limits(root: string): number[] {
  const found: number[] = []
  const text = contentOf(posix.join(root, 'proc/self/cgroup'))
  // Version 2 has one tree: `0::/system.slice/my.service`.
  const path = /^0::(\/.*)$/m.exec(text)?.[1]
  for (let at = path; at !== undefined; at = at === '/' ? undefined : posix.dirname(at)) {
    const [quota, period] = contentOf(posix.join(root, 'sys/fs/cgroup', at, 'cpu.max'))
      .split(' ')
      .map(Number)
    found.push(Number(quota) / Number(period))
  }
  // Version 1 has one tree per controller; a container sees its own group at the top.
  const folder = posix.join(root, 'sys/fs/cgroup/cpu')
  const [quota, period] = ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) => contentOf(posix.join(folder, name)))
  found.push(Number(quota) / Number(period))
  return found.filter((limit) => limit > 0) // no limit is the word max, or -1, or no file
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
