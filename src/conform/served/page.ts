// The page at which a browser tests itself: it runs all cases by its own WebSocket, and shows the verdict.
import { createHash } from 'node:crypto'
import { reportStyle } from '../reports/style.js'
import { pageScript } from './script.js'

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Conformance of this browser</title>
<style>${reportStyle}</style>
</head>
<body data-state="running">
<main>
<header>
<h1>Conformance</h1>
<p class="quiet">This browser's WebSocket, by RFC 6455 and RFC 7692. The page runs every case by itself.</p>
</header>
<p id="status" role="status">Loading the cases…</p>
<progress id="progress" aria-label="Cases that are done" max="1" value="0"></progress>
<div id="verdict"></div>
<p><button id="again" type="button" hidden>Run again</button></p>
</main>
<script>${pageScript}</script>
</body>
</html>
`

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** The page, and its headers: it may run its own script and style, and connect to its own server. */
export const conformPage = {
  body: page,
  headers: {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(page),
    'Content-Security-Policy': [
      "default-src 'none'",
      `script-src ${sourceOf(pageScript)}`,
      `style-src ${sourceOf(reportStyle)}`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  },
} as const
