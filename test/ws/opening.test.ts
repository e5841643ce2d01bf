// The opening handshake of the facade: each request gets the answer that it gets from ws, to the byte.
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import type { ServerOptions } from 'ws'
import { ACCEPTED, ask, end, engines, head, portOf, same } from './serverEngines.js'

const offers = (value: string) => ({ 'Sec-WebSocket-Extensions': value })
const protocols = (value: string) => ({ 'Sec-WebSocket-Protocol': value })

const REQUESTS: Readonly<Record<string, string>> = {
  'a plain one': head(),
  'one of version 8': head({ 'Sec-WebSocket-Version': '8' }),
  'one of version 7': head({ 'Sec-WebSocket-Version': '7' }),
  'one of version 13.0': head({ 'Sec-WebSocket-Version': '13.0' }),
  'one without a version': head({ 'Sec-WebSocket-Version': undefined }),
  'one without a key': head({ 'Sec-WebSocket-Key': undefined }),
  'one with a short key': head({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=' }),
  'one for another protocol': head({ Upgrade: 'h2c' }),
  'one that says WebSocket in capitals': head({ Upgrade: 'WEBSOCKET' }),
  'a POST': head({ 'Content-Length': '0' }, 'POST / HTTP/1.1'),
  'one without an Upgrade header': head({ Upgrade: undefined, Connection: 'close' }),
  'one that is no HTTP': 'hello\r\n\r\n',
  'one with a huge header': head({ 'X-Long': 'a'.repeat(20_000) }),
  'one with a bad header': head({ 'Bad Name': 'a' }),
  'one with a query': head({}, 'GET /?a=b HTTP/1.1'),
  'one for another path': head({}, 'GET /other HTTP/1.1'),
  'one of HTTP/1.0': head({}, 'GET / HTTP/1.0'),
  'one that tells a body of none': head({ 'Content-Length': '0' }),
  'one with the header of a key twice': head({ 'sec-websocket-key': 'AQIDBAUGBwgJCgsMDQ4PEA==' }),
  'one with a protocol': head(protocols('chat')),
  'one with protocols and blanks': head(protocols('a \t, b,\tc')),
  'one with a protocol twice': head(protocols('a, b, a')),
  'one with no protocol in the list': head(protocols('a,,b')),
  'one with a bad protocol': head(protocols('a b')),
  'one with an empty list of protocols': head(protocols('')),
  'one with a comma at the end': head(protocols('a,')),
  'one with two lists of protocols': head({ ...protocols('a'), 'sec-websocket-protocol': 'b' }),
}

const DEFLATE = 'permessage-deflate'
const OFFERS = [
  '',
  DEFLATE,
  `${DEFLATE}; client_max_window_bits`,
  `${DEFLATE};client_max_window_bits=10;server_max_window_bits=11`,
  `${DEFLATE}; server_max_window_bits="9"`,
  `${DEFLATE}; server_max_window_bits="1\\0"`,
  `${DEFLATE}; server_max_window_bits=08`,
  `${DEFLATE}; server_max_window_bits=16`,
  `${DEFLATE}; server_max_window_bits`,
  `${DEFLATE}; server_no_context_takeover; client_no_context_takeover`,
  `${DEFLATE}; server_no_context_takeover=1`,
  `${DEFLATE}; server_no_context_takeover; server_no_context_takeover`,
  `${DEFLATE}; unknown`,
  `${DEFLATE}; server_no_context_takeover, ${DEFLATE}; client_max_window_bits=9`,
  `x-webkit-deflate-frame, ${DEFLATE}; client_max_window_bits`,
  'foo; bar=baz',
  `${DEFLATE};`,
  `${DEFLATE},`,
  `${DEFLATE}; a = b`,
  `${DEFLATE}; a="`,
  `${DEFLATE}; a=""`,
  `${DEFLATE}; a="b c"`,
  `${DEFLATE} client_max_window_bits`,
  'Permessage-Deflate',
]

const DEFLATE_OPTIONS: Readonly<Record<string, ServerOptions['perMessageDeflate']>> = {
  true: true,
  false: false,
  '{}': {},
  'no context takeover': { serverNoContextTakeover: true, clientNoContextTakeover: true },
  'context takeover': { serverNoContextTakeover: false },
  'windows of 10': { serverMaxWindowBits: 10, clientMaxWindowBits: 10 },
  'windows of 15 for clients': { clientMaxWindowBits: 15 },
}

/** What each request is answered by a server with these options. */
async function answers(
  Server: (typeof engines)[number]['Server'],
  options: ServerOptions,
  requests: readonly string[],
): Promise<string[]> {
  const server = new Server({ port: 0, host: '127.0.0.1', ...options })
  const port = await portOf(server)
  const said: string[] = []
  for (const request of requests) said.push(await ask(port, request, ACCEPTED))
  await end(server)
  return said
}

describe('each request is answered as by ws', () => {
  for (const [name, request] of Object.entries(REQUESTS)) {
    same(name, ({ Server }) => answers(Server, { path: '/' }, [request]))
  }
})

describe('each offer of permessage-deflate is answered as by ws', () => {
  for (const [name, perMessageDeflate] of Object.entries(DEFLATE_OPTIONS)) {
    same(`with the option ${name}`, ({ Server }) =>
      answers(
        Server,
        { perMessageDeflate },
        OFFERS.map((offer) => head(offers(offer))),
      ),
    )
  }

  test('and most of these offers are accepted or refused, each by some option', async () => {
    const requests = OFFERS.map((offer) => head(offers(offer)))
    const said = await answers(engines[1]?.Server ?? assert.fail(), { perMessageDeflate: true }, requests)
    assert.ok(said.filter((answer) => /^Sec-WebSocket-Extensions: permessage-deflate/m.test(answer)).length >= 6)
    assert.ok(said.filter((answer) => answer.startsWith('HTTP/1.1 400 ')).length >= 10)
  })
})

describe('handleProtocols', () => {
  const request = head(protocols('a, b'))
  for (const [name, answer] of [
    ['a name', 'b'],
    ['one that was not offered', 'z'],
    ['false', false],
    ['nothing', undefined],
  ] as const) {
    same(`answers with ${name}`, async ({ Server }) => {
      const asked: unknown[] = []
      const handleProtocols = (names: Set<string>, { url }: IncomingMessage) => {
        asked.push([...names], url)
        return answer as string
      }
      return [await answers(Server, { handleProtocols }, [request, head()]), asked]
    })
  }
})

describe('verifyClient', () => {
  const origins = head({ Origin: 'http://a', 'Sec-WebSocket-Origin': 'http://b' })
  const origins8 = head({ Origin: 'http://a', 'Sec-WebSocket-Origin': 'http://b', 'Sec-WebSocket-Version': '8' })
  for (const [name, verified] of [
    ['true', true],
    ['false', false],
    ['a word', 'yes'],
    ['nothing', undefined],
  ] as const) {
    same(`answers with ${name}`, async ({ Server }) => {
      const told: unknown[] = []
      const verifyClient = (info: { origin: string; secure: boolean; req: IncomingMessage }) => {
        told.push(info.origin, info.secure, info.req.url, Object.keys(info))
        return verified as boolean
      }
      return [await answers(Server, { verifyClient }, [origins, origins8]), told]
    })
  }

  for (const [name, answer] of Object.entries({
    yes: [true],
    no: [false],
    'a status': [false, 404],
    'a message': [false, 403, 'go away'],
    headers: [false, 401, 'who?', { 'WWW-Authenticate': 'Basic', Connection: 'keep-alive' }],
    'a status that nobody knows': [false, 799, 'no'],
  })) {
    same(`calls back later with ${name}`, ({ Server }) =>
      answers(
        Server,
        {
          verifyClient: (_info: unknown, callback: (...answer: never[]) => void) => {
            setTimeout(() => callback(...(answer as never[])), 5)
          },
        },
        [head()],
      ),
    )
  }
})
