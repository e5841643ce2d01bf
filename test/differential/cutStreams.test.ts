// Streams of createWebSocketStream that have been ended, and whose connections are cut: those finish whose last word has left.
import type { Duplex } from 'node:stream'
import { close } from '../support/frames.js'
import { same } from './same.js'
import type { Pair } from './stage.js'

const CUTS: Readonly<Record<string, (pair: Pair, stream: Duplex) => unknown>> = {
  'the peer resets': ({ peer }) => peer.socket.resetAndDestroy(),
  'the peer half-closes': ({ peer }) => peer.socket.end(),
  'it is terminated': ({ ws }) => ws.terminate(),
  'the closing handshake takes too long': () => undefined,
  'the peer says Close, and resets': ({ peer }) => {
    peer.write(close(1000))
    setTimeout(() => peer.socket.resetAndDestroy(), 10)
  },
  'it is destroyed': (_, stream) => stream.destroy(),
}

for (const [how, cut] of Object.entries(CUTS)) {
  for (const when of ['before', 'behind']) {
    same(`a stream that is ended ${when} ${how}`, async (stage) => {
      const pair = await stage.pair({ closeTimeout: 40 })
      const { ws, peer } = pair
      const duplex = stage.module.createWebSocketStream(ws)
      for (const event of ['end', 'finish', 'close', 'error']) duplex.on(event, () => stage.note(`stream ${event}`))
      duplex.resume()
      if (when === 'behind') {
        await cut(pair, duplex)
        await stage.quiet(60)
        if (ws.readyState !== 3) ws.terminate()
        await stage.quiet(20)
      }
      duplex.end(() => stage.note('ended'))
      if (when === 'before') {
        await peer.frames(1)
        await cut(pair, duplex)
      }
      await stage.noted('close')
      await stage.quiet()
      stage.note('at last', duplex.destroyed, duplex.readableEnded, duplex.writableFinished, ws.readyState)
    })
  }
}
