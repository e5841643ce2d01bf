// Which runtime this is: Deno and Bun call themselves Node.js as well.

/** By what `process.versions` names. */
export const runtime: 'node' | 'deno' | 'bun' =
  'deno' in process.versions ? 'deno' : 'bun' in process.versions ? 'bun' : 'node'
