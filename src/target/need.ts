// What a path of the target needs before it answers.

/**
 * `faults`: it pushes, floods, stalls or breaks. `admin`: it tells of the server. Both are there on a loopback address,
 * and beyond it only where they were asked for. `corrupt`: it breaks RFC 6455 on purpose, and must be asked for everywhere.
 */
export type Need = 'faults' | 'admin' | 'corrupt'

/** What whoever runs the target must say before a path with that need answers. */
export const asking: Readonly<Record<Need, string>> = {
  faults: '--faults',
  admin: '--admin',
  corrupt: '--allow-corrupt',
}
