// How modules are found: hooks for import and require, where Node.js has such, and a way into require where it has none.
import * as nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

/** Whether a specifier is to be found elsewhere. */
export type Redirects = (specifier: string) => boolean

type Resolve = (specifier: string, context: unknown, next: (specifier: string, context: unknown) => object) => object

type ResolveFilename = (specifier: string, ...more: unknown[]) => string

/**
 * From now on, what `redirects` names is the module `target`, a URL, for import and for require. `hooks` is the URL of the
 * module that does it in the thread of Node's hooks, where hooks have a thread of their own.
 */
export function redirectModules(redirects: Redirects, target: string, hooks: string): void {
  // Node.js 22.15, 23.5 and later.
  const registerHooks: unknown = Reflect.get(nodeModule, 'registerHooks')
  if (typeof registerHooks === 'function') {
    const resolve: Resolve = (specifier, context, next) =>
      redirects(specifier) ? { url: target, format: 'module', shortCircuit: true } : next(specifier, context)
    registerHooks({ resolve })
    return
  }
  nodeModule.register(hooks, { data: target })
  const { Module } = nodeModule
  const before: ResolveFilename = Reflect.get(Module, '_resolveFilename')
  const path = fileURLToPath(target)
  const resolve: ResolveFilename = (specifier, ...more) =>
    redirects(specifier) ? path : Reflect.apply(before, Module, [specifier, ...more])
  Reflect.set(Module, '_resolveFilename', resolve)
}
