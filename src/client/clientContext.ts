// What all client connections of a thread share, and what those share that were made with the same options: a thousand of
// them cost no more than their own parts.

import { serverLimits } from '../checks/limits.js'
import { DeflateAgreements } from '../connection/deflateAgreements.js'
import { deflateSettings } from '../connection/deflateSettings.js'
import type { Handlers } from '../connection/handlers.js'
import { encoderOfThread } from '../connection/sending/encoder.js'
import {
  openBudget,
  openRoute,
  openServer,
  type RouteContext,
  type RouteSettings,
  type ServerParts,
  streamThresholdOf,
} from '../connection/shared.js'
import { type ClientOptions, clientLimits } from './options.js'
import { noTopics } from './topics.js'

export interface ClientContext<Data> {
  readonly shared: RouteContext<Data>
  readonly agreements: DeflateAgreements | undefined
}

let parts: ServerParts<unknown> | undefined

/** The parts of this thread's clients, made on first use. They may hold as much as a server by default. */
function partsOfThread(): ServerParts<unknown> {
  parts ??= open()
  return parts
}

function open(): ServerParts<unknown> {
  return openServer({
    ...openBudget(serverLimits.payloadMemory.byDefault),
    encoder: encoderOfThread('client'),
    topics: noTopics,
    closed: () => undefined,
  })
}

/** Settings, and what says the same of others. They hold no functions: options that say the same share them. */
interface Settings {
  readonly route: RouteSettings<unknown>
  readonly deflate: ClientOptions['deflate']
  readonly key: string
}

/** The settings that were asked for last: most programs ask for the same each time, with handlers of their own. */
let last: Settings | undefined

function settingsFor(options: ClientOptions<never>): Settings {
  const { outputPolicy = 'pause', streamLeft = 'drain', deflate = false } = options
  const limits = clientLimits(options)
  const streamThreshold = streamThresholdOf(options, limits.maxMessage)
  const route = { limits, outputPolicy, large: undefined, streamThreshold, streamLeft }
  const key = JSON.stringify([route, deflate])
  if (last?.key !== key) last = { route, deflate, key }
  return last
}

/** Contexts by the handlers that they were made for, with the settings that they were made with. */
const known = new WeakMap<object, { readonly settings: Settings; readonly context: ClientContext<unknown> }>()

/** The context for these options; the same as before, if the same object says the same. */
export function contextFor<Data>(options: ClientOptions<Data>, handlers: Handlers<Data>): ClientContext<Data> {
  const settings = settingsFor(options as ClientOptions<never>)
  const found = known.get(handlers)
  // What was kept under these handlers is of their type.
  if (found?.settings.key === settings.key) return found.context as ClientContext<Data>
  // There is no route of large messages, which alone would depend on the data's type.
  const context = made(handlers, settings.route as RouteSettings<Data>, settings.deflate)
  known.set(handlers, { settings, context: context as ClientContext<unknown> })
  return context
}

function made<Data>(
  handlers: Handlers<Data>,
  settings: RouteSettings<Data>,
  deflate: ClientOptions['deflate'],
): ClientContext<Data> {
  const own = partsOfThread() as ServerParts<Data>
  const asked = deflateSettings(deflate, undefined)
  return { shared: openRoute(own, handlers, settings), agreements: asked && new DeflateAgreements(own, asked) }
}
