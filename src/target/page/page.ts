// The page at `GET /`: one file without a network, to try the server by hand and, where its operator allows that, to see
// what the server does.
import { pageHeaders } from '../../html/pageHeaders.js'
import { dashboardMarkup } from './dashboardMarkup.js'
import { dashboardScript } from './dashboardScript.js'
import { dashboardStyle } from './dashboardStyle.js'
import { pageScript } from './script.js'
import { pageStyle } from './style.js'
import { uPlotScript, uPlotStyle } from './uPlot.generated.js'

const ICON =
  '<path d="M16 3v26M3 16h26M6.8 6.8l18.4 18.4M25.2 6.8 6.8 25.2" stroke-width="2.5"/><circle cx="16" cy="16" r="10" stroke-width="2.5"/><circle cx="16" cy="16" r="3" fill="currentColor"/>'
const icon = (color: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="${color}" color="${color}" stroke-linecap="round" aria-hidden="true">${ICON}</svg>`

/** The parts in which the page with a dashboard differs from the one without. */
interface Parts {
  readonly main: string
  readonly dashboard: string
  readonly script: string
  readonly style: string
}

const markup = ({ main, dashboard, script, style }: Parts): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>millrace</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon('#0f8a86'))}">
<style>${style}</style>
</head>
<body>
<main${main}>
<header>
  ${icon('currentColor')}
  <div>
    <h1>millrace</h1>
    <p class="quiet">This server sends every message back. Try it.</p>
  </div>
</header>
${dashboard}
<section aria-labelledby="connection-title">
  <h2 id="connection-title" class="sr">Connection</h2>
  <div class="row spread">
    <div>
      <p id="state" role="status" data-state="connecting">Connecting…</p>
      <p id="close-code" class="quiet mono"></p>
    </div>
    <button id="close" type="button">Close</button>
    <button id="reconnect" class="main" type="button" hidden>Reconnect</button>
  </div>
</section>

<section aria-labelledby="send-title">
  <div class="row spread">
    <h2 id="send-title" class="flush">Send</h2>
    <fieldset>
      <legend>Send as</legend>
      <label><input id="as-text" type="radio" name="kind" checked><span>Text</span></label>
      <label><input id="as-binary" type="radio" name="kind"><span>Binary</span></label>
    </fieldset>
  </div>
  <div class="tiers">
    <button id="send-7-bit" class="needs-open" type="button" data-length="125" disabled><b>125 B</b><span class="quiet">7-bit length</span></button>
    <button id="send-16-bit" class="needs-open" type="button" data-length="65535" disabled><b>64 KiB − 1</b><span class="quiet">16-bit length</span></button>
    <button id="send-64-bit" class="needs-open" type="button" data-length="1048576" disabled><b>1 MiB</b><span class="quiet">64-bit length</span></button>
  </div>
  <form id="own" class="row" autocomplete="off">
    <label for="own-text" class="sr">Your own text</label>
    <input id="own-text" type="text" placeholder="Or your own text">
    <button id="send-own" class="main needs-open" type="submit" disabled>Send</button>
  </form>
</section>

<section aria-labelledby="log-title">
  <h2 id="log-title">What came back</h2>
  <p id="empty" class="quiet">Nothing yet. Each answer is compared with what was sent, byte by byte.</p>
  <ol id="log"></ol>
  <p id="announcement" class="sr" role="status"></p>
</section>
</main>
<script>${script}</script>
</body>
</html>
`

/** A page, ready to be sent. */
export interface Page {
  readonly text: string
  readonly headers: Readonly<Record<string, string | number>>
}

function pageOf(parts: Parts): Page {
  const text = markup(parts)
  // A page of its own origin only gets a clock of 5 instead of 100 microseconds.
  const alone = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
  return { text, headers: { ...pageHeaders(text, parts), ...alone } }
}

/** The page without what only the operator may see. */
export const plainPage: Page = pageOf({ main: '', dashboard: '', script: pageScript, style: pageStyle })

export const dashboardPage: Page = pageOf({
  main: ' class="dashboard"',
  dashboard: dashboardMarkup,
  script: `\n'use strict'\n${uPlotScript}${pageScript}${dashboardScript}`,
  style: `${uPlotStyle}${pageStyle}${dashboardStyle}`,
})
