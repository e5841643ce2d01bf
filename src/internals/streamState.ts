// What a stream of Node's keeps of its own state, for a socket whose handle is read and written from elsewhere: how far it has come, and
// the encoding of texts.
import type { Duplex } from 'node:stream'

interface States {
  readonly _readableState: { ended: boolean; endEmitted: boolean }
  readonly _writableState: {
    ending: boolean
    ended: boolean
    finished: boolean
    readonly defaultEncoding?: BufferEncoding
  }
}

/** Has a stream say that its peer has ended, or that it has ended and all has left. */
export function markEnded(stream: Duplex, event: 'end' | 'finish'): void {
  const { _readableState, _writableState } = stream as unknown as States
  if (event === 'end') Object.assign(_readableState, { ended: true, endEmitted: true })
  else Object.assign(_writableState, { ending: true, ended: true, finished: true })
}

/** The encoding of texts that are written to a stream without one. */
export function defaultEncodingOf(stream: Duplex): BufferEncoding {
  return (stream as unknown as States)._writableState.defaultEncoding ?? 'utf8'
}
