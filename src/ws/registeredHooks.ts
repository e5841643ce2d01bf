// Runs in the thread of Node's module hooks, in versions of Node.js that have no hooks in the program's own thread.
// It imports nothing, as that thread has nothing to do with WebSockets.

/** What Node.js hands to a hook. */
type Next = (specifier: string, context: unknown) => Promise<object>

let target = ''

/** Is told the module that is to be handed out. */
export function initialize(url: string): void {
  target = url
}

export async function resolve(specifier: string, context: unknown, next: Next): Promise<object> {
  return specifier === 'ws' ? { url: target, format: 'module', shortCircuit: true } : next(specifier, context)
}
