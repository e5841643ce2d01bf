// Why nothing is read from a peer, as bits: reading goes on when none is left.
export const Reason = {
  output: 1,
  budget: 2,
  handlers: 4,
  application: 8,
  loop: 16,
  stream: 32,
  pool: 64,
  slice: 128,
  opening: 256,
  inflating: 512,
} as const

/** These reasons are ours, not the peer's: time spent on them counts neither as idle nor as unread. */
export const WAITS = Reason.budget | Reason.pool | Reason.slice | Reason.opening | Reason.inflating
