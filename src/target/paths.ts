// The table of the target's paths: whatever serves a path, lists the paths or documents them reads it here. A new path is
// an entry.
import type { TargetPath } from './path.js'
import { conformPaths } from './paths/conform.js'
import { corruptPath } from './paths/corrupt.js'
import { deflatePath } from './paths/deflate.js'
import { delayPath } from './paths/delay.js'
import { echoPaths } from './paths/echo.js'
import { endingPaths } from './paths/ending.js'
import { floodPath } from './paths/flood.js'
import { fragmentPath } from './paths/fragment.js'
import { handshakePaths } from './paths/handshake.js'
import { headersPath } from './paths/headers.js'
import { healthPaths } from './paths/health.js'
import { insightPaths } from './paths/insight.js'
import { largePaths } from './paths/large.js'
import { listPath } from './paths/list.js'
import { sinkPath } from './paths/sink.js'
import { slowPaths } from './paths/slow.js'
import { bigPath, sourcePath } from './paths/source.js'
import { topicPaths } from './paths/topics.js'

export const targetPaths: readonly TargetPath[] = [
  ...echoPaths,
  sinkPath,
  sourcePath,
  bigPath,
  ...topicPaths,
  delayPath,
  fragmentPath,
  deflatePath,
  ...largePaths,
  headersPath,
  ...handshakePaths,
  ...endingPaths,
  ...slowPaths,
  floodPath,
  corruptPath,
  ...conformPaths,
  ...insightPaths,
  ...healthPaths,
  listPath(() => targetPaths),
]
