// What went wrong, in a line for a person.
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, address, port }: NodeJS.ErrnoException & { address?: string; port?: number } = error
  if (code === 'EADDRINUSE') return `port ${port} is taken on ${address}: choose another with --port, or 0 for any`
  if (code === 'EACCES') return `this user may not listen on port ${port}: choose one from 1024 with --port`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return 'this machine has no such address: choose another with --host'
  return error.message.split('\n', 1)[0] ?? ''
}
