// Has this process use the debug builds of the codec and of its compression, which check their assertions: `node --import`
// this file. Nothing of src knows of it: where the bytes of a release build are compiled, those of the debug build are.
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { base64 as deflateBase64 } from '../../src/codec/deflate.generated.js'
import { base64 } from '../../src/codec/wasm.generated.js'

declare const WebAssembly: { Module: new (bytes: Uint8Array) => object }

/** The debug build, as `npm run build:codec` writes it. */
export const debugBuild: Buffer = readFileSync(new URL('../../../build/codec.debug.wasm', import.meta.url))

const builds = [
  { release: Buffer.from(base64, 'base64'), debug: debugBuild },
  {
    release: Buffer.from(deflateBase64, 'base64'),
    debug: readFileSync(new URL('../../../build/deflate.debug.wasm', import.meta.url)),
  },
]

WebAssembly.Module = class extends WebAssembly.Module {
  constructor(bytes: Uint8Array) {
    super(builds.find(({ release }) => release.equals(bytes))?.debug ?? bytes)
  }
}
