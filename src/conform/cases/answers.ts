// The opening handshake as a client must keep it (RFC 6455, section 4.1): what it asks, and what it makes of the answer.
import type { Draft, HeadChange, HeaderChange, RequestRule } from '../case.js'
import { alive, group, type Row, respond, text, textBack } from '../vocabulary.js'

const RULES: readonly (readonly [rule: RequestRule, title: string])[] = [
  ['method', 'the method is GET'],
  ['version', 'the version of HTTP is 1.1 or later'],
  ['host', 'there is a Host header'],
  ['upgrade', 'the Upgrade header names websocket'],
  ['connection', 'the Connection header names Upgrade'],
  ['key', 'the key is 16 bytes in base64'],
  ['websocketVersion', 'the WebSocket version is 13'],
  ['once', 'no header of the handshake comes twice'],
]

const asked = group(
  {
    section: '4.1',
    rule: 'The request of a client is a GET with all headers of the handshake.',
    side: 'client',
    bare: true,
  },
  RULES.map(([rule, title]): Row => [title, [{ step: 'asked', rule }, respond({}), ...alive]]),
)

const taken = (title: string, change: HeadChange): Row => [title, [respond(change), ...alive]]

const forms = group(
  {
    section: '4.1',
    rule: 'Names of headers and the words of Upgrade and Connection are the same in any case.',
    side: 'client',
    bare: true,
  },
  [
    taken('a plain answer', {}),
    taken('Upgrade: WebSocket', { headers: { Upgrade: 'WebSocket' } }),
    taken('Upgrade: WEBSOCKET', { headers: { Upgrade: 'WEBSOCKET' } }),
    taken('Connection: upgrade', { headers: { Connection: 'upgrade' } }),
    taken('names of headers in lower case', { headers: { upgrade: 'websocket', connection: 'Upgrade' } }),
    taken('names of headers in upper case', { headers: { UPGRADE: 'websocket', CONNECTION: 'Upgrade' } }),
    taken('headers that mean nothing here', { headers: { Server: 'conform', 'X-One': '1' } }),
    taken('another reason phrase', { line: 'HTTP/1.1 101 Off We Go' }),
    taken('an empty reason phrase', { line: 'HTTP/1.1 101 ' }),
    ...[1, 2, 7, 50].map(
      (pieces): Row => [`an answer, ${pieces} bytes at a time`, [{ step: 'respond', change: {}, pieces }, ...alive]],
    ),
    ['a text behind the answer in one write', [respond({}, [text('early')]), textBack('early'), ...alive]],
    [
      'three texts behind the answer',
      [respond({}, [text('1'), text('2'), text('3')]), textBack('1'), textBack('2'), textBack('3')],
    ],
  ],
)

/** A client that takes the answer sends the text back that follows it. */
const given = (title: string, headers: HeaderChange): Row => [
  title,
  [respond({ headers }, [text('taken')]), { step: 'abandons' }],
]

const wrong = group(
  {
    section: '4.1',
    rule: 'A client fails a connection whose answer is no right handshake.',
    side: 'client',
    bare: true,
  },
  [
    given('no Sec-WebSocket-Accept', { 'Sec-WebSocket-Accept': undefined }),
    given('an empty Sec-WebSocket-Accept', { 'Sec-WebSocket-Accept': '' }),
    given('another Sec-WebSocket-Accept', { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }),
    given('a Sec-WebSocket-Accept that is no base64', { 'Sec-WebSocket-Accept': 'accepted' }),
    given('no Upgrade header', { Upgrade: undefined }),
    given('Upgrade: h2c', { Upgrade: 'h2c' }),
    given('no Connection header', { Connection: undefined }),
    given('Connection: close', { Connection: 'close' }),
    given('a subprotocol that was not offered', { 'Sec-WebSocket-Protocol': 'conform' }),
    given('an extension that was not offered', { 'Sec-WebSocket-Extensions': 'x-conform' }),
    given('an extension and one that was not offered', { 'Sec-WebSocket-Extensions': 'permessage-deflate, x-conform' }),
    ...[200, 204, 400, 403, 404, 426, 500, 503].map(
      (status): Row => [
        `status ${status}`,
        [respond({ line: `HTTP/1.1 ${status} Conform` }, [text('taken')]), { step: 'abandons' }],
      ],
    ),
    ['a first line that is none', [respond({ line: 'WEBSOCKET 101 OK' }, [text('taken')]), { step: 'abandons' }]],
  ],
)

const parameters = group(
  {
    section: '7692-5.1',
    rule: 'A client fails a connection whose server agrees on parameters that are not valid.',
    side: 'client',
    bare: true,
  },
  [
    'permessage-deflate; unknown',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits=08',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; client_max_window_bits=7',
    'permessage-deflate; client_max_window_bits=16',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; client_no_context_takeover=true',
    'permessage-deflate, permessage-deflate',
    'permessage-deflat',
  ].map((answer): Row => given(answer, { 'Sec-WebSocket-Extensions': answer })),
)

export const answers: readonly Draft[] = [...asked, ...forms, ...wrong, ...parameters]
