// What is sent behind a Blob, and what comes of it when the connection ends while that is being read.
import type { WebSocket } from 'ws'
import { same } from './same.js'

const ENDS: Readonly<Record<string, (ws: WebSocket) => void>> = {
  'it is terminated': (ws) => ws.terminate(),
  'it is closed, and terminated': (ws) => {
    ws.close()
    ws.terminate()
  },
  'its socket is destroyed': (ws) => (Reflect.get(ws, '_socket') as { destroy(): void }).destroy(),
}

/** A Blob that can't be read. */
class Broken extends Blob {
  override arrayBuffer(): Promise<ArrayBuffer> {
    return new Promise((_, reject) => setTimeout(reject, 20, new Error('broken')))
  }
}

const BLOBS: Readonly<Record<string, () => Blob>> = {
  'a Blob': () => new Blob(['blob']),
  'a long Blob': () => new Blob([Buffer.alloc(1_000_000)]),
  'a Blob that is broken': () => new Broken(['blob']),
}

for (const [what, made] of Object.entries(BLOBS)) {
  for (const [how, act] of Object.entries(ENDS)) {
    same(`${how} behind ${what}`, async (stage) => {
      const { ws, peer } = await stage.pair()
      const called = (name: string) => (error: unknown) => stage.note(name, error)
      ws.send('before', called('before'))
      ws.send(made(), called('blob'))
      ws.send('behind', called('behind'))
      ws.ping('ping', false, called('ping'))
      ws.send(made(), called('second blob'))
      act(ws)
      ws.send('late', called('late'))
      stage.note('waits', ws.bufferedAmount)
      stage.turns('end')
      peer.socket.on('end', () => peer.socket.end())
      await stage.noted('before', 'blob', 'behind', 'ping', 'second blob', 'late', 'close')
      await stage.quiet()
      stage.note('still waits', ws.bufferedAmount)
    })
  }
}
