// A program that writes more to the socket of a WebSocket than that wants while its peer does not read, and sends meanwhile.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { readFrames } from '../support/frames.js'
import { same } from './same.js'

/** The header of a message of this many bytes. */
function header(length: number): Buffer {
  const bytes = Buffer.from('827f0000000000000000', 'hex')
  bytes.writeUInt32BE(length, 6)
  return bytes
}

const MUCH = 12 * 1024 * 1024

same('what is written to a socket that is full, and what is sent, are in order', async (stage) => {
  const { ws, peer } = await stage.pair()
  const socket = Reflect.get(ws, '_socket') as Socket
  peer.socket.pause()
  const told = { drain: 0, written: 0, sent: 0 }
  socket.on('drain', () => told.drain++)
  for (const length of [MUCH, 100_000, 70_000]) {
    socket.write(header(length))
    stage.note(
      'wrote',
      socket.write(Buffer.alloc(length), () => told.written++),
    )
    ws.send(`behind ${length}`, () => told.sent++)
  }
  socket.write('8101', 'hex')
  stage.note('wrote', socket.write('z'), socket.writableLength > MUCH / 4)
  await stage.quiet(50)
  peer.socket.resume()
  await peer.frames(7)
  await stage.until(() => told.drain + told.written + told.sent >= 7, 'the callbacks')
  stage.note('told', told, socket.writableLength)
  ws.terminate()
  await stage.noted('close')
  const { received, text } = peer
  for (const { payload } of readFrames(received.subarray(text.indexOf('\r\n\r\n') + 4)).frames)
    stage.note('frame', payload.length)
})

same('a long write that the system takes at once', async (stage) => {
  const { ws, peer } = await stage.pair()
  const socket = Reflect.get(ws, '_socket') as Socket
  socket.on('drain', () => stage.note('drain', socket.writableLength))
  socket.write(header(100_000))
  stage.note(
    'wrote',
    socket.write(Buffer.alloc(100_000), (error) => stage.note('written', error)),
  )
  stage.note('little', socket.write(Buffer.from('8200', 'hex')), socket.write(''))
  await peer.frames(2)
  await stage.noted('written')
  stage.call('wrong', () => socket.write(1 as never))
  stage.call('wrong encoding', () => socket.write('x', 'none' as never))
  for (const encoding of ['none', 5, 'buffer', 'UTF8', null])
    stage.call('bytes', () => socket.write(Buffer.of(0x82, 0), encoding as never))
  socket.end('', () => stage.note('ended'))
  stage.call('behind the end', () => socket.write('x', (error) => stage.note('late', error)))
  await stage.noted('ended', 'late', 'close')
})

same("'drain' of a full socket comes before the callbacks of what leaves last, which are in order", async (stage) => {
  const { ws, peer } = await stage.pair()
  const socket = Reflect.get(ws, '_socket') as Socket
  peer.socket.pause()
  const told: string[] = []
  socket.on('drain', () => told.push('drain'))
  for (let number = 0; number < 6; number++) {
    ws.send(Buffer.alloc(2_000_000), () => told.push(`sent ${number}`))
    socket.write(Buffer.of(0x82, 1, number), () => told.push(`written ${number}`))
  }
  await stage.quiet(50)
  peer.socket.resume()
  await stage.until(() => told.length === 13, 'all callbacks')
  stage.note('callbacks', ...told.filter((one) => one !== 'drain'))
  stage.note('drain', told.indexOf('drain') < told.indexOf('written 5'))
  await stage.drop(peer)
})

same('texts that are written to the socket have its encoding, or their own', async (stage) => {
  const { ws, peer } = await stage.pair()
  const socket = Reflect.get(ws, '_socket') as Socket
  socket.setDefaultEncoding('hex')
  socket.write('820161')
  socket.write('820162', () => stage.note('written'))
  socket.write('\x82\x01c', 'latin1')
  socket.setDefaultEncoding('latin1').write('\x82\x01d')
  await stage.frames(peer, 4)
  await stage.noted('written')
  await stage.drop(peer)
})
