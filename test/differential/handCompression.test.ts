// A PerMessageDeflate that is made by hand compresses and inflates what it is handed.
import { Buffer } from 'node:buffer'
import { deflateRawSync } from 'node:zlib'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

type Callback = (error: Error | null, bytes: Buffer) => void

interface Extension {
  readonly params: Options
  accept(offers: readonly Options[]): void
  compress(data: unknown, fin: boolean, callback: Callback): void
  decompress(data: unknown, fin: boolean, callback: Callback): void
  cleanup(): void
}

function made(stage: Stage, options: Options = {}, offer: Options = {}): Extension {
  const extension = Reflect.construct(Reflect.get(stage.module, 'PerMessageDeflate'), [options]) as Extension
  extension.accept([structuredClone(offer)]) // ws changes what it is given
  return extension
}

const does = (extension: Extension, way: 'compress' | 'decompress', data: unknown, fin: boolean): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    extension[way](data, fin, (error, bytes) => (error ? reject(error) : resolve(bytes))),
  )

const TEXT = Buffer.from('some text, some text, and more of some text')

for (const [name, options, offer] of [
  ['without parameters', {}, {}],
  ['that starts anew', {}, { server_no_context_takeover: [true], client_no_context_takeover: [true] }],
  ['with a small window', { isServer: true, serverMaxWindowBits: 9 }, {}],
  ['with options of zlib', { zlibDeflateOptions: { level: 9 }, zlibInflateOptions: { chunkSize: 1024 } }, {}],
] as const) {
  same(`an extension ${name} compresses and inflates`, async (stage) => {
    const extension = made(stage, options, offer)
    for (const fin of [true, false, true]) {
      const bytes = await does(extension, 'compress', TEXT, fin)
      stage.note('compressed', bytes)
    }
    const other = deflateRawSync(TEXT, { finishFlush: 2, windowBits: 9 }).subarray(0, -4)
    stage.note('inflated', await does(extension, 'decompress', other, true))
    stage.note('a part', await does(extension, 'decompress', other.subarray(0, 9), false))
    stage.note('and the rest', await does(extension, 'decompress', other.subarray(9), true))
    extension.cleanup()
  })
}

same('an extension tells what it can not inflate', async (stage) => {
  const extension = made(stage)
  for (let round = 0; round < 2; round++)
    await does(extension, 'decompress', Buffer.from('something that is not compressed'), true).catch((error) =>
      stage.note('error', error),
    )
})

same('an extension inflates no more than it may', async (stage) => {
  const extension = made(stage, { maxPayload: 25 })
  const long = deflateRawSync(Buffer.alloc(100_000), { finishFlush: 2 }).subarray(0, -4)
  await does(extension, 'decompress', long, true).catch((error) => stage.note('error', error))
})

same('an extension whose stream has ended begins another', async (stage) => {
  const extension = made(stage)
  for (let round = 0; round < 2; round++)
    stage.note('inflated', await does(extension, 'decompress', deflateRawSync(TEXT), true))
})

same('an extension that is cleaned up calls back', async (stage) => {
  const extension = made(stage)
  const compressed = does(extension, 'compress', TEXT, true).catch((error) => stage.note('error', error))
  extension.cleanup()
  await compressed
})
