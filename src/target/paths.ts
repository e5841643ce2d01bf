// The table of the target's paths: whatever serves a path, lists the paths or documents them reads it here. A new path is
// an entry.
import type { TargetPath } from './path.js'
import { echoPaths } from './paths/echo.js'
import { healthPaths } from './paths/health.js'
import { listPath } from './paths/list.js'
import { topicPaths } from './paths/topics.js'

export const targetPaths: readonly TargetPath[] = [
  ...echoPaths,
  ...topicPaths,
  ...healthPaths,
  listPath(() => targetPaths),
]
