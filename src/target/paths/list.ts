// `/paths`: the list of the target's paths, for people with curl and people with a browser. An unknown path is answered
// with the list, too.
import { say } from '../httpAnswer.js'
import { listOf } from '../listing.js'
import { listingHeaders, pageOf } from '../listingPage.js'
import type { TargetPath } from '../path.js'

export function listPath(paths: () => readonly TargetPath[]): TargetPath {
  return {
    path: '/paths',
    about: 'lists all paths with their parameters, as text or as a page (plain HTTP)',
    example: '/paths',
    client: 'reads what there is',
    parameters: {},
    answer(request, response, context) {
      const isBrowser = request.headers.accept?.includes('text/html') === true
      if (isBrowser) say(response, 200, pageOf(paths(), context), listingHeaders)
      else say(response, 200, listOf(paths(), context), { Vary: 'Accept' })
    },
  }
}
