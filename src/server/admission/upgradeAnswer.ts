// What `upgrade` answered. Only an answer that is known to accept accepts. Anything else refuses, whatever was meant: a
// misspelt refusal, for instance, must not open a connection.
import { checkOptions, isPlain } from '../../checks/check.js'
import { deflate } from '../../checks/commonTables.js'
import { callerError } from '../../checks/errors.js'
import { type Checklist, type Kind, shown, text } from '../../checks/kinds.js'
import type { DeflateOptions } from '../../connection/deflateSettings.js'
import { type HeaderFields, NO_HEADERS } from '../../protocol/openingHandshake.js'
import { readHeaders } from '../../protocol/responseHeaders.js'

/** The upgrade is accepted. */
export interface AcceptedAnswer {
  readonly data: unknown
  readonly headers: HeaderFields
  readonly protocol: string | undefined
  readonly deflate: boolean | DeflateOptions | undefined
  /** In milliseconds since 1970. */
  readonly expiresAt: number | undefined
}

/** The upgrade is refused. */
export interface RefusedAnswer {
  readonly status: number
  readonly headers: HeaderFields
  readonly body: string
}

/** An answer that has been checked. */
export type ReadAnswer = AcceptedAnswer | RefusedAnswer

/** An acceptance whose members have been checked. */
interface GivenAcceptance {
  readonly data?: unknown
  readonly headers?: unknown
  readonly protocol?: string
  readonly deflate?: boolean | DeflateOptions
  readonly expiresAt?: Date | number
}

const anything: Kind = { words: 'anything', is: () => true }
const headers: Kind = {
  words: 'an object, a Headers, a Map or a list of pairs',
  is: (value) => typeof value === 'object' && value !== null,
}

const time: Kind = {
  words: 'a Date, or milliseconds since 1970',
  is: (value) => Number.isFinite(value instanceof Date ? value.getTime() : value),
}

const acceptance = {
  owner: "upgrade's answer",
  prefix: 'the answer of upgrade: ',
  example: (name: string) => `{ ${name} }`,
  options: { data: anything, headers, protocol: text, deflate, expiresAt: time },
} satisfies Checklist

const rejection = {
  owner: "upgrade's refusal",
  prefix: 'the refusal of upgrade: ',
  example: (name: string) => `a refusal, { ${name === 'status' ? name : `status, ${name}`} }`,
  options: {
    status: {
      words: 'a status from 300 to 599',
      is: (value) => Number.isInteger(value) && Number(value) >= 300 && Number(value) <= 599,
    },
    headers,
    body: text,
  },
} satisfies Checklist

const ADVICE =
  'to accept, return nothing or { data, headers, protocol, deflate, expiresAt }; to refuse, { status, headers, body } with a status from 300'

/** What no answer says. */
const NOTHING: AcceptedAnswer = {
  data: undefined,
  headers: NO_HEADERS,
  protocol: undefined,
  deflate: undefined,
  expiresAt: undefined,
}

/** Reads an answer. Throws a TypeError for what is none, and for headers that may not be sent. */
export function readAnswer(answer: unknown): ReadAnswer {
  if (answer === undefined) return NOTHING
  if (typeof answer !== 'object' || answer === null || !isPlain(answer)) {
    throw callerError('ERR_UPGRADE_ANSWER', `${shown(answer)} is not an answer of upgrade: ${adviceFor(answer)}`)
  }
  if ('status' in answer) return readRefusal(answer)
  checkOptions(answer, acceptance, [rejection])
  const { data, headers, protocol, deflate, expiresAt }: GivenAcceptance = answer
  return { data, headers: readHeaders(headers), protocol, deflate, expiresAt: expiresAt && Number(expiresAt) }
}

function readRefusal(answer: { status: unknown; headers?: unknown; body?: unknown }): RefusedAnswer {
  checkOptions(answer, rejection, [acceptance])
  const { status, headers, body = '' } = answer
  if (status === undefined) throw callerError('ERR_UPGRADE_ANSWER', `the status is undefined: ${ADVICE}`)
  return { status: Number(status), headers: readHeaders(headers), body: String(body) }
}

function adviceFor(answer: unknown): string {
  if (typeof Response === 'function' && answer instanceof Response) {
    return 'write { status: response.status, headers: response.headers, body: await response.text() }'
  }
  return ADVICE
}
