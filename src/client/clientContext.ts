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
import { ClientRoute } from './clientRoute.js'
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

/** What holds for all connections whose options say the same. It knows no handlers. */
interface Settings {
  readonly route: RouteContext<unknown>
  readonly agreements: DeflateAgreements | undefined
}

/** How many kinds of settings are kept. A program that uses more at once has more of the same. */
const KINDS = 16

/** The settings that were asked for last, by what they say: options hold functions only as handlers. */
const known = new Map<string, Settings>()

function settingsFor(options: ClientOptions<never>): Settings {
  const { outputPolicy = 'pause', streamLeft = 'drain', deflate = false } = options
  const limits = clientLimits(options)
  const streamThreshold = streamThresholdOf(options, limits.maxMessage)
  const route = { limits, outputPolicy, large: undefined, streamThreshold, streamLeft }
  const key = JSON.stringify([route, deflate])
  return known.get(key) ?? kept(key, settled(route, deflate))
}

function settled(route: RouteSettings<unknown>, deflate: ClientOptions['deflate']): Settings {
  const own = partsOfThread()
  const asked = deflateSettings(deflate, undefined)
  return { route: openRoute(own, {}, route), agreements: asked && new DeflateAgreements(own, asked) }
}

function kept(key: string, settings: Settings): Settings {
  const [eldest] = known.keys()
  if (eldest !== undefined && known.size >= KINDS) known.delete(eldest)
  known.set(key, settings)
  return settings
}

/** The last route, and what it was made of. Nothing but its connections keeps it, and with it the handlers. */
let latest: { readonly settings: Settings; readonly route: WeakRef<object> } | undefined

/** The context for these options; the same as before, if the same handlers come again with options that say the same. */
export function contextFor<Data>(options: ClientOptions<Data>, handlers: Handlers<Data>): ClientContext<Data> {
  // Settings know nothing of the data's type.
  const settings = settingsFor(options as ClientOptions<never>)
  return { shared: routeOf(settings, handlers), agreements: settings.agreements }
}

function routeOf<Data>(settings: Settings, handlers: Handlers<Data>): ClientRoute<Data> {
  const last = latest?.settings === settings ? latest.route.deref() : undefined
  // The route of these handlers is of their type.
  if (last instanceof ClientRoute && last.handlers === handlers) return last
  const route = new ClientRoute(settings.route as RouteContext<Data>, handlers)
  latest = { settings, route: new WeakRef(route) }
  return route
}
