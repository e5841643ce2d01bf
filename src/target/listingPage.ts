// The list of a target's paths as a page for browsers. It has no script, and asks for nothing.
import { escaped } from '../html/escaped.js'
import { pagePolicy } from '../html/pageHeaders.js'
import type { Listed } from './listing.js'
import { asking } from './need.js'
import type { PathDescription } from './path.js'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
section { border-top: 1px solid color-mix(in srgb, currentcolor 20%, transparent); padding: .5rem 0 }
h2 { font-size: 1rem; margin: .5rem 0 }
p, dl { margin: .25rem 0 }
dt { font-weight: 600 }
dd { margin: 0 0 .25rem 1rem }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
`

export function pageOf(paths: readonly PathDescription[], target: Listed): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Paths of this target</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Paths of this target</h1>
${paths.map((path) => sectionOf(path, target)).join('\n')}
</main>
</body>
</html>
`
}

function sectionOf(
  { path, about, example, client, parameters, needs }: PathDescription,
  { bounds, allows }: Listed,
): string {
  const closed = needs === undefined || allows.has(needs) ? '' : ` (only with <code>${asking[needs]}</code>)`
  const rows = Object.entries(parameters).map(([name, { about: what, shown, words }]) => {
    const byDefault = shown === '' ? '' : `; ${shown} if it is left out`
    return `<dt><code>${name}</code></dt><dd>${escaped(`${what}; ${words(bounds)}${byDefault}`)}</dd>`
  })
  return `<section>
<h2><code>${escaped(path)}</code></h2>
<p>It ${escaped(about)}${closed}.</p>
${rows.length === 0 ? '' : `<dl>${rows.join('')}</dl>\n`}<p>Example: <code>${escaped(example)}</code></p>
<p>A right client ${escaped(client)}.</p>
</section>`
}

export const listingHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': pagePolicy({ style: STYLE }),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  Vary: 'Accept',
}
