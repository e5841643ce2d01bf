// `/paths`: the list of the target's paths, which is also what an unknown path is answered with.
import { say } from '../httpAnswer.js'
import { listOf } from '../listing.js'
import type { TargetPath } from '../path.js'

export function listPath(paths: () => readonly TargetPath[]): TargetPath {
  return {
    path: '/paths',
    about: 'lists all paths with their parameters (plain HTTP)',
    example: '/paths',
    client: 'reads what there is',
    parameters: {},
    answer: (_, response, context) => say(response, 200, listOf(paths(), context)),
  }
}
