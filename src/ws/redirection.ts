// What `millrace/ws/register` and the module that it puts in the place of ws know of each other.

/** The bare specifier that is redirected; `ws/lib/…` and the like are not. */
const SPECIFIER = 'ws'

/** The module that is handed out instead. */
export const TARGET: string = new URL('./registered.js', import.meta.url).href

/** Whether whoever asks for this is given this project's module. */
export function redirects(specifier: string): boolean {
  return specifier === SPECIFIER
}
