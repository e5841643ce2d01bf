// The page at which a browser tests itself: it runs all cases by its own WebSocket, and shows the verdict.
import { pageHeaders } from '../../html/pageHeaders.js'
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

export const conformPage = {
  body: page,
  headers: pageHeaders(page, { script: pageScript, style: reportStyle }),
} as const
