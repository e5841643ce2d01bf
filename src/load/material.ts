// What the connections of a load send that wait for answers: by its kind, and with numbers where there is room for them.
import type { Heap } from '../codec/codec.js'
import { DeflateMaterial } from './deflateMaterial.js'
import { hasRoomFor } from './disorder.js'
import type { LoadShared } from './loadConnection.js'
import type { LoadOptions } from './options.js'
import { encodeBatch, payloadOf } from './payload.js'
import { SequenceMaterial } from './sequenceMaterial.js'

export type Material = Pick<LoadShared, 'batch' | 'deflate' | 'sequences'>

export function materialOf(heap: Heap, options: LoadOptions): Material {
  const { kind, size, rate, pipeline, verify } = options
  const messages = rate > 0 ? 1 : pipeline
  if (kind === 'deflate') {
    const deflate = new DeflateMaterial(heap, size, messages, verify, options.deflate)
    return { deflate, batch: deflate.batch }
  }
  if (hasRoomFor(options)) {
    const sequences = new SequenceMaterial(heap, kind, size, messages, verify)
    return { sequences, batch: sequences.batch }
  }
  return { batch: encodeBatch(heap, kind, payloadOf(kind, size), messages, verify) }
}
