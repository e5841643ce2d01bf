// The other processes of the same load, as one of them sees them.

/** What a process of a fan-out tells the others. */
export type FanOutNews =
  /** To the one that sends: so many deliveries of the last batch have come to all receivers of this process. */
  | { readonly arrived: number }
  /** From the one that sends, when its time is over: how many it has sent, and when the last of them were due, on the clock of all. */
  | { readonly published: number; readonly due: readonly number[] }

export interface Others {
  /** Resolves when all processes have called it. */
  together(): Promise<void>
  tell(news: FanOutNews): void
  /** Calls `listener` for whatever another process tells. */
  hear(listener: (news: FanOutNews) => void): void
}
