// What a case of the conformance suite is: data. The same case is run by us as a client against a server, and by us as a
// server against a client that has come to be tested, because both of them do one thing: they send every message back.
import type { DeflateParameters } from '../protocol/permessageDeflate.js'

/** How an RFC puts a rule (RFC 2119). What differs from a `must` is a failure, and what differs from the others is not strict. */
export type Level = 'must' | 'should' | 'may'

/** Who is tested: the end that answers the opening handshake, or the end that asks for it. */
export type Side = 'server' | 'client'

/** Bytes, or what makes them: long ones are made when a case runs. */
export type Bytes = Uint8Array | (() => Uint8Array)

/** How a payload length is written: in 7, 16 or 64 bits (RFC 6455, section 5.2). */
export type LengthForm = 7 | 16 | 64

/** A frame as it is sent; what is left out is as it should be. */
export interface Frame {
  readonly opcode: number
  readonly payload?: Bytes
  readonly fin?: boolean
  /** The three reserved bits, as a number from 0 to 7: RSV1 is 4. */
  readonly reserved?: number
  /** Masked where frames of this side must not be, or the other way round. */
  readonly wrongMask?: boolean
  readonly key?: Uint8Array
  readonly form?: LengthForm
  /** The length that the header announces. Default: that of the payload. */
  readonly announced?: bigint
}

/** A header of a handshake; undefined leaves it out, and a list writes it several times. */
export type HeaderChange = Readonly<Record<string, string | readonly string[] | undefined>>

/** How a request or a response of the opening handshake differs from a right one. */
export interface HeadChange {
  /** The first line, in place of the right one; `{path}` stands for the path of the server. */
  readonly line?: string
  readonly headers?: HeaderChange
  /** What stands between a name and its value. Default: a colon and a blank. */
  readonly colon?: string
}

/** One thing that is done, or waited for. */
export type Step =
  /** Frames are sent in one write, or in writes of `pieces` bytes each, or in two: the first of `cut` bytes. */
  | { readonly step: 'send'; readonly frames: readonly Frame[]; readonly pieces?: number; readonly cut?: number }
  /** Bytes are sent as they are. */
  | { readonly step: 'raw'; readonly bytes: Bytes }
  /** The message comes back. */
  | { readonly step: 'message'; readonly text: boolean; readonly payload: Bytes; readonly orTooBig?: boolean }
  /** A Pong with this payload comes. */
  | { readonly step: 'pong'; readonly payload: Bytes }
  /** The peer fails the connection, with one of these close codes (section 7.1.7). */
  | { readonly step: 'fails'; readonly codes: readonly number[] }
  /** The peer answers our Close frame with one of these codes; 1005 is none (section 5.5.1). */
  | { readonly step: 'closes'; readonly codes: readonly number[] }
  /** The peer fails the connection, or waits for what was announced: both are right. */
  | { readonly step: 'failsOrWaits'; readonly codes: readonly number[] }
  /** We end our half of the TCP connection, or cut it. */
  | { readonly step: 'finish' | 'reset' }
  /** The peer ends the TCP connection. */
  | { readonly step: 'ends' }
  /** A request is sent, whole or in pieces; `behind` follows in the same write. */
  | {
      readonly step: 'request'
      readonly change: HeadChange
      readonly pieces?: number
      readonly behind?: readonly Frame[]
    }
  /** The server refuses the request with one of these statuses, and these headers. */
  | {
      readonly step: 'refused'
      readonly statuses: readonly number[]
      readonly headers?: Readonly<Record<string, string>>
    }
  /** The server accepts the request, and its answer keeps this rule. */
  | { readonly step: 'opened'; readonly answer?: AnswerRule }
  /** The request of the client keeps this rule. */
  | { readonly step: 'asked'; readonly rule: RequestRule }
  /** The request is answered; `behind` follows in the same write. */
  | {
      readonly step: 'respond'
      readonly change: HeadChange
      readonly pieces?: number
      readonly behind?: readonly Frame[]
    }
  /** The client gives the connection up, and has sent no frame. */
  | { readonly step: 'abandons' }
  /** The frames that have come were masked with more than one key (section 5.3). */
  | { readonly step: 'keysDiffer' }

/** What is looked at in the answer of a server. */
export type AnswerRule = 'plain' | 'declines' | 'noProtocol' | 'deflate'

/** What is looked at in the request of a client. */
export type RequestRule = 'method' | 'version' | 'host' | 'upgrade' | 'connection' | 'key' | 'websocketVersion' | 'once'

/** permessage-deflate in a case: what we offer as a client, or answer as a server, and what has to be agreed. */
export interface DeflateWish {
  /** What is offered. Default: `permessage-deflate; client_max_window_bits`. */
  readonly offer?: string
  /** The parameters that we answer with, where we are the server, as they follow the name. */
  readonly answer?: string
  /** Where this is false, the case can't be run, and is skipped; `peer` is the side that is tested. */
  needs?(agreed: DeflateParameters, peer: Side): boolean
}

/** A case without its number. */
export interface Draft {
  /** The section: `5.5.1` of RFC 6455, or `7692-7.2.1` of RFC 7692. */
  readonly section: string
  readonly title: string
  /** The rule, in our own words. */
  readonly rule: string
  readonly level: Level
  readonly side: Side | 'both'
  readonly steps: readonly Step[]
  readonly deflate?: DeflateWish
  /** Whether the opening handshake is a step of the case. */
  readonly bare?: true
  /** Whether it costs the peer much memory: it is run only where that is asked for. */
  readonly heavy?: true
}

export interface Case extends Draft {
  /** Section and number: `5.5.1/3`. */
  readonly id: string
}

export type Verdict = 'pass' | 'non-strict' | 'fail' | 'skipped'

/** How a case went. */
export interface Outcome {
  readonly case: Case
  readonly verdict: Verdict
  /** What was expected and what came, where they differ; or why the case was skipped. */
  readonly expected: string
  readonly came: string
  readonly milliseconds: number
}
