// Has this process use the debug build of the codec, which checks its assertions: `node --import` this file. Nothing of
// src knows of it: where the bytes of the release build are compiled, those of the debug build are.
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { base64 } from '../../src/codec/wasm.generated.js'

declare const WebAssembly: { Module: new (bytes: Uint8Array) => object }

const release = Buffer.from(base64, 'base64')

/** The debug build, as `npm run build:codec` writes it. */
export const debugBuild: Buffer = readFileSync(new URL('../../../build/codec.debug.wasm', import.meta.url))

WebAssembly.Module = class extends WebAssembly.Module {
  constructor(bytes: Uint8Array) {
    super(release.equals(bytes) ? debugBuild : bytes)
  }
}
