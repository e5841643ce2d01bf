// What went wrong, in a line for a person.

/** What Node.js tells of a failed system call. On a Unix socket, `address` is its path, and `port` is -1. */
type SystemError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }

/** Whether it is of a place to listen on: errors of files have no port. What an acceptor tells has no name of the call. */
export function isOfPlace(error: unknown): boolean {
  const { port, syscall }: SystemError = Object(error)
  return port !== undefined && syscall !== 'connect'
}

/** `portOption` is the option with which a port is chosen. */
export function explain(error: unknown, portOption = '--port'): string {
  if (!(error instanceof Error)) return String(error)
  const { code, address, port }: SystemError = error
  // Other calls, such as that which reads a key, may fail for the same reasons.
  const place = isOfPlace(error) && port !== undefined ? placeProblem(code, address, port, portOption) : undefined
  if (place !== undefined) return place
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return 'this machine has no such address: choose another with --host'
  return error.message.split('\n', 1)[0] ?? ''
}

function placeProblem(code: string | undefined, address = '', port: number, option: string): string | undefined {
  const isPath = port < 0
  if (code === 'EADDRINUSE') {
    if (isPath) return `${address} is there already: choose another with --path`
    return `port ${port} is taken on ${address}: choose another with ${option}, or 0 for any`
  }
  if (code !== 'EACCES') return undefined
  if (isPath) return `${address} can't be made: choose another with --path, in a folder where this user may write`
  return `this user may not listen on port ${port}: choose one from 1024 with ${option}`
}
