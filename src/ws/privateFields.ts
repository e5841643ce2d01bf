// The fields of ws's WebSocket that begin with an underscore, for programs that look at them. Nothing is kept for them: each says
// what is so when somebody asks. A value that is written to one is the program's own from then on, where nothing else is said.
import { CloseCode } from '../protocol/closeCode.js'
import { EMPTY } from './data.js'
import { PerMessageDeflate } from './perMessageDeflate.js'
import type { SocketSettings } from './socketOwner.js'
import type { SocketPeer } from './socketPeer.js'

/** What there is behind a WebSocket. */
export interface Inside {
  readonly peer: SocketPeer | undefined
  readonly settings: SocketSettings
}

/** The WebSocket itself, as far as these fields are about what it tells anyway. */
interface Outside {
  binaryType: string
  readonly isPaused: boolean
  readonly protocol: string
  readonly readyState: number
  readonly url: string | undefined
}

type Extensions = Record<string, PerMessageDeflate>

/** By the settings: those of a WebSocket with extensions are its own. */
const extensions = new WeakMap<SocketSettings, Extensions>()

/** What was agreed on, by the names of the extensions: the same object each time. */
export function extensionsOf({ settings, peer }: Inside): Extensions {
  const { deflate } = settings
  if (deflate === undefined) return {}
  const made = (): PerMessageDeflate => PerMessageDeflate.of(deflate, peer?.context.maxPayload ?? 0)
  const known = extensions.get(settings) ?? { [PerMessageDeflate.extensionName]: made() }
  extensions.set(settings, known)
  return known
}

const FIELDS: Readonly<Record<string, (ws: Outside, inside: Inside) => unknown>> = {
  _autoPong: (_ws, { settings }) => (settings.mostPongs === undefined ? undefined : true),
  _binaryType: (ws) => ws.binaryType,
  _closeCode: (_ws, { peer }) => peer?.closeCode ?? CloseCode.abnormal,
  _closeFrameReceived: (_ws, { peer }) => peer !== undefined && peer.closeCode !== CloseCode.abnormal,
  _closeFrameSent: (_ws, { peer }) => peer?.end?.closeLeft === true,
  _closeMessage: (_ws, { peer }) => peer?.end?.reason ?? EMPTY,
  _closeTimeout: (_ws, { settings }) => settings.closeTimeout,
  _closeTimer: (_ws, { peer }) => peer?.end?.timer ?? null,
  _errorEmitted: (_ws, { peer }) => peer?.end?.failed === true,
  _extensions: (_ws, inside) => extensionsOf(inside),
  _maxPendingAutoPongs: (_ws, { settings }) => settings.mostPongs,
  _paused: (ws) => ws.isPaused,
  _protocol: (ws) => ws.protocol,
  _readyState: (ws) => ws.readyState,
  _url: (ws) => ws.url,
}

/** Gives the prototype these fields. `inside` is what there is behind one of its objects. */
export function addPrivateFields<Socket extends Outside>(prototype: Socket, inside: (ws: Socket) => Inside): void {
  for (const [name, value] of Object.entries(FIELDS)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: Socket): unknown {
        return value(this, inside(this))
      },
      set(this: Socket, own: unknown) {
        if (name === '_binaryType') this.binaryType = String(own)
        else Object.defineProperty(this, name, { configurable: true, enumerable: true, value: own, writable: true })
      },
    })
  }
}
