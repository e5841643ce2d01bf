// Makes the package `millrace-ws`, which stands in the place of ws in a project: `overrides: { "ws": "npm:millrace-ws" }`. It
// has the shape of the package ws, and nothing in it but the way to `millrace/ws`. Run by `npm run build:ws`.
//
//   node assembly/wsPackage.mjs [FOLDER]     where to; packages/millrace-ws by default
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = process.argv[2] ?? join(root, 'packages/millrace-ws')
const { version, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The version of ws whose API this is: those who need ws ask for its major version, and tools print it. */
const LIKE = '8.23'

/** A version of ws, with the version of millrace as one number: 0.2.0 is 200. */
function versionLike(own) {
  const [major, minor, patch] = own.split('.').map(Number)
  return `${LIKE}.${major * 10_000 + minor * 100 + patch}`
}

const manifest = {
  name: 'millrace-ws',
  version: versionLike(version),
  description: 'The package ws over millrace: for "overrides": { "ws": "npm:millrace-ws" }.',
  keywords: ['ws', 'websocket', 'websockets', 'server', 'millrace'],
  license,
  engines,
  main: './index.js',
  types: './index.d.ts',
  exports: {
    '.': {
      browser: './browser.js',
      import: { types: './index.d.mts', default: './wrapper.mjs' },
      require: { types: './index.d.ts', default: './index.js' },
    },
    './package.json': './package.json',
  },
  browser: './browser.js',
  dependencies: { millrace: version },
}

const READ_ME = `# millrace-ws

The package [ws](https://www.npmjs.com/package/ws) over [millrace](https://www.npmjs.com/package/millrace): the same
API, another engine. It is what a project names where its dependencies ask for ws:

\`\`\`json
{
  "dependencies": { "ws": "npm:millrace-ws@${versionLike(version)}" },
  "overrides": { "ws": "$ws" }
}
\`\`\`

Its version is that of the ws whose API it has, and in the last place the version of millrace: ${version} is ${versionLike(version).split('.').at(-1)}. There are no
clients yet: \`new WebSocket(url)\` throws an Error, which names the way out.
`

const FILES = {
  'package.json': `${JSON.stringify(manifest, undefined, 2)}\n`,
  'README.md': READ_ME,
  'index.js': "'use strict'\n\nmodule.exports = require('millrace/ws')\n",
  'wrapper.mjs': "export * from 'millrace/ws'\nexport { default } from 'millrace/ws'\n",
  'index.d.ts': "import WebSocket = require('millrace/ws')\n\nexport = WebSocket\n",
  'index.d.mts': "export * from 'millrace/ws'\nexport { default } from 'millrace/ws'\n",
  'browser.js':
    "'use strict'\n\nmodule.exports = function () {\n  throw new Error('millrace-ws does not work in a browser, which has a WebSocket of its own')\n}\n",
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
