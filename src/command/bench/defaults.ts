// What `millrace bench` does where nothing is asked for; times in seconds.
export const defaults = { connections: 100, size: 16, pipeline: 1, duration: 10, warmup: 1, rate: 0 } as const
