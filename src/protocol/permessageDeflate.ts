// What both sides agree on about permessage-deflate (RFC 7692, section 7.1). An offer that breaks a rule is declined, and
// the next one is looked at: a peer's mistake never costs it the connection.
import { type Extension, extensionsIn } from './extensions.js'

/** The parameters that hold for a connection: both directions have their own. */
export interface DeflateParameters {
  /** The server compresses each message with an empty window (section 7.1.1.1). */
  readonly serverNoContextTakeover: boolean
  /** The client compresses each message with an empty window (section 7.1.1.2). */
  readonly clientNoContextTakeover: boolean
  /** The window of what the server compresses has 2 to the power of this many bytes: 8 to 15 (section 7.1.2.1). */
  readonly serverMaxWindowBits: number
  /** The same of what the client compresses (section 7.1.2.2). */
  readonly clientMaxWindowBits: number
}

/** What was agreed, and how the answer says so. */
export interface DeflateAgreement {
  readonly parameters: DeflateParameters
  /** The value of Sec-WebSocket-Extensions in the answer. */
  readonly answer: string
}

const NAME = 'permessage-deflate'
const SERVER_NO_CONTEXT = 'server_no_context_takeover'
const CLIENT_NO_CONTEXT = 'client_no_context_takeover'
const SERVER_BITS = 'server_max_window_bits'
const CLIENT_BITS = 'client_max_window_bits'

/** The bounds of a window, and what holds where nothing is said (section 7.1.2). */
export const LEAST_WINDOW_BITS = 8
export const MOST_WINDOW_BITS = 15

/** A decimal number without zeros in front of it, from 8 to 15 (section 7.1.2). */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/

/** Parameters by name, with their numbers; those without a value have `MOST_WINDOW_BITS`. */
type Given = ReadonlyMap<string, number>

/**
 * Accepts the first offer of a client that keeps the rules; undefined if there is none. What is agreed never exceeds
 * what `ours` says, but for one thing: nothing limits the window of a client that has not offered it (section 7.1.2.2).
 */
export function acceptDeflate(header: string, ours: DeflateParameters): DeflateAgreement | undefined {
  for (const extension of extensionsIn(header)) {
    const offer = extension?.name === NAME ? parametersOf(extension, true) : undefined
    if (offer !== undefined) return agree(offer, ours)
  }
  return undefined
}

/**
 * What a server has accepted of the offers that a client made; undefined where the answer breaks a rule, or has what was
 * not offered, with which the client must fail the connection (sections 5.2 and 7.1).
 */
export function acceptedDeflate(answer: string, offered: string): DeflateParameters | undefined {
  const [extension, ...more] = extensionsIn(answer)
  const given = extension?.name === NAME && more.length === 0 ? parametersOf(extension, false) : undefined
  if (given === undefined) return undefined
  for (const offer of extensionsIn(offered)) {
    const asked = offer === undefined ? undefined : parametersOf(offer, true)
    if (asked !== undefined && answers(given, asked)) return accepted(given, asked)
  }
  return undefined
}

function accepted(given: Given, asked: Given): DeflateParameters {
  return Object.freeze({
    serverNoContextTakeover: given.has(SERVER_NO_CONTEXT),
    clientNoContextTakeover: given.has(CLIENT_NO_CONTEXT) || asked.has(CLIENT_NO_CONTEXT),
    serverMaxWindowBits: given.get(SERVER_BITS) ?? MOST_WINDOW_BITS,
    clientMaxWindowBits: smaller(given.get(CLIENT_BITS) ?? MOST_WINDOW_BITS, asked.get(CLIENT_BITS)),
  })
}

/** What a client asks of the server's own windows binds the server; it may limit the client's only where that was offered. */
function answers(given: Given, asked: Given): boolean {
  if (asked.has(SERVER_NO_CONTEXT) && !given.has(SERVER_NO_CONTEXT)) return false
  if (asked.has(SERVER_BITS) && (given.get(SERVER_BITS) ?? Infinity) > (asked.get(SERVER_BITS) ?? 0)) return false
  return asked.has(CLIENT_BITS) || !given.has(CLIENT_BITS)
}

function agree(offer: Given, ours: DeflateParameters): DeflateAgreement {
  const limitsClient = offer.has(CLIENT_BITS)
  const parameters = {
    serverNoContextTakeover: ours.serverNoContextTakeover || offer.has(SERVER_NO_CONTEXT),
    clientNoContextTakeover: ours.clientNoContextTakeover || offer.has(CLIENT_NO_CONTEXT),
    serverMaxWindowBits: smaller(ours.serverMaxWindowBits, offer.get(SERVER_BITS)),
    clientMaxWindowBits: limitsClient ? smaller(ours.clientMaxWindowBits, offer.get(CLIENT_BITS)) : MOST_WINDOW_BITS,
  }
  // A client that has not offered to know the server's window need not be told of it: any window is within its own.
  const answer = written(parameters, offer.has(SERVER_BITS), limitsClient)
  return Object.freeze({ parameters: Object.freeze(parameters), answer })
}

/**
 * What a client offers that wants no more than `ours`: a server that can't limit its window is still asked for the rest.
 * The window of what the client compresses is the client's own to limit, so it always offers to (section 7.1.2.2).
 */
export function deflateOffer(ours: DeflateParameters): string {
  const { clientMaxWindowBits: bits } = ours
  const client = bits < MOST_WINDOW_BITS ? `${CLIENT_BITS}=${bits}` : CLIENT_BITS
  const value = [
    NAME,
    ...(ours.serverNoContextTakeover ? [SERVER_NO_CONTEXT] : []),
    ...(ours.clientNoContextTakeover ? [CLIENT_NO_CONTEXT] : []),
    client,
  ].join('; ')
  return ours.serverMaxWindowBits < MOST_WINDOW_BITS
    ? `${value}; ${SERVER_BITS}=${ours.serverMaxWindowBits}, ${value}`
    : value
}

/** The parameters of an offer or an answer; undefined if one of them is unknown, repeated, or has a wrong value. */
function parametersOf({ parameters }: Extension, isOffer: boolean): Given | undefined {
  const given = new Map<string, number>()
  for (const { name, value } of parameters) {
    const number = numberOf(name, value, isOffer)
    if (number === undefined || given.has(name)) return undefined
    given.set(name, number)
  }
  return given
}

function numberOf(name: string, value: string | undefined, isOffer: boolean): number | undefined {
  if (name === SERVER_NO_CONTEXT || name === CLIENT_NO_CONTEXT)
    return value === undefined ? MOST_WINDOW_BITS : undefined
  if (name !== SERVER_BITS && name !== CLIENT_BITS) return undefined
  // Only the offer of a client's own window may leave the number to the server (section 7.1.2.2).
  if (value === undefined) return isOffer && name === CLIENT_BITS ? MOST_WINDOW_BITS : undefined
  return WINDOW_BITS.test(value) ? Number(value) : undefined
}

function smaller(ours: number, theirs = MOST_WINDOW_BITS): number {
  return Math.min(ours, theirs)
}

/** The extension with its parameters, as a header has them. */
function written(parameters: DeflateParameters, serverBits: boolean, clientBits: boolean): string {
  const { serverMaxWindowBits, clientMaxWindowBits } = parameters
  let value = NAME
  if (parameters.serverNoContextTakeover) value += `; ${SERVER_NO_CONTEXT}`
  if (parameters.clientNoContextTakeover) value += `; ${CLIENT_NO_CONTEXT}`
  if (serverBits) value += `; ${SERVER_BITS}=${serverMaxWindowBits}`
  if (clientBits && clientMaxWindowBits < MOST_WINDOW_BITS) value += `; ${CLIENT_BITS}=${clientMaxWindowBits}`
  return value
}
