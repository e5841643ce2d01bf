// What the target does with large messages in its pool of threads: as good as nothing, so that only the way there counts.
import type { LargeMessage } from '../../src/index.js'

export default function handle(message: LargeMessage): string {
  return String(message.byteLength)
}
