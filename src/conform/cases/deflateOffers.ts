// What client and server agree on about permessage-deflate (RFC 7692, sections 5 and 7.1), and that they keep to it.
import { Buffer } from 'node:buffer'
import { constants, deflateRawSync } from 'node:zlib'
import type { DeflateWish, Draft, Frame, Step } from '../case.js'
import { binary, binaryBack, group, letters, octets, type Row, request, send, text, textBack } from '../vocabulary.js'
import { bytesIn } from '../wire.js'

function deflated(message: Buffer, windowBits = 15, dictionary?: Buffer): Buffer {
  const stream = deflateRawSync(message, {
    finishFlush: constants.Z_SYNC_FLUSH,
    windowBits,
    ...(dictionary && { dictionary }),
  })
  return stream.subarray(0, -4)
}

const compressed = (payload: Buffer, isText = true): Frame => (isText ? text : binary)(payload, { reserved: 4 })

const offered = (offer: string, answer: 'deflate' | 'plain' = 'deflate'): DeflateWish & { answer: string } =>
  answer === 'deflate' ? { offer, answer: offer.slice('permessage-deflate'.length) } : { offer, answer: '' }

/** Text that repeats what stood far before it, so that a window matters. */
const FAR = Buffer.concat([
  bytesIn(octets(900)),
  bytesIn(octets(31_000)).reverse(),
  bytesIn(octets(900)),
  bytesIn(letters(900)),
])

/** What is sent to see that the parameters hold: two like messages, of which the second is short with context takeover. */
const exchange: readonly Step[] = [
  send(text('again and again and again')),
  textBack('again and again and again'),
  send(text('again and again and again')),
  textBack('again and again and again'),
  send(binary(FAR)),
  binaryBack(FAR),
  send(binary(FAR)),
  binaryBack(FAR),
]

const OFFERS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; client_max_window_bits=15',
  'permessage-deflate; client_max_window_bits=12',
  'permessage-deflate; client_max_window_bits=9',
  'permessage-deflate; server_no_context_takeover',
  'permessage-deflate; client_no_context_takeover',
  'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  'permessage-deflate; server_max_window_bits=15',
  'permessage-deflate; server_max_window_bits=14',
  'permessage-deflate; server_max_window_bits=12',
  'permessage-deflate; server_max_window_bits=10',
  'permessage-deflate; server_max_window_bits=9',
  'permessage-deflate; server_max_window_bits=8',
  'permessage-deflate; server_max_window_bits="10"',
  'permessage-deflate; server_max_window_bits=10; server_no_context_takeover',
  'permessage-deflate; server_max_window_bits=9; client_max_window_bits=9; server_no_context_takeover; client_no_context_takeover',
  'permessage-deflate;client_max_window_bits;server_max_window_bits=11',
]

const keeps = group(
  {
    section: '7692-7.1',
    rule: 'A server accepts an offer with valid parameters of its own, or declines it; what was agreed on is kept.',
    side: 'server',
  },
  OFFERS.map((offer): Row => [offer, exchange, { deflate: offered(offer) }]),
)

const declined = group(
  { section: '7692-7.1', rule: 'An offer with parameters that are not valid is declined.', side: 'server', bare: true },
  [
    'permessage-deflate; unknown',
    'permessage-deflate; unknown=1',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits=08',
    'permessage-deflate; server_max_window_bits=+9',
    'permessage-deflate; server_max_window_bits=x',
    'permessage-deflate; client_max_window_bits=7',
    'permessage-deflate; client_max_window_bits=16',
    'permessage-deflate; client_max_window_bits=010',
    'permessage-deflate; client_max_window_bits=x',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; client_no_context_takeover=true',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; client_max_window_bits; client_max_window_bits=10',
    'permessage-deflate; server_max_window_bits=10; server_max_window_bits=10',
    'x-permessage-deflate',
    'permessage-deflat',
  ].map(
    (offer): Row => [
      offer,
      [request({ headers: { 'Sec-WebSocket-Extensions': offer } }), { step: 'opened', answer: 'declines' }],
    ],
  ),
)

const fallbacks = group(
  {
    section: '7692-5',
    rule: 'Offers stand in the order of preference, and one that can not be accepted makes room for the next.',
    side: 'server',
    level: 'should',
  },
  [
    'permessage-deflate; unknown, permessage-deflate',
    'permessage-deflate; server_max_window_bits=7, permessage-deflate; client_max_window_bits',
    'x-unknown, permessage-deflate',
    'permessage-deflate; server_max_window_bits=10, permessage-deflate',
  ].map((offer): Row => [offer, exchange, { deflate: { offer, answer: '' } }]),
)

const clientContext: DeflateWish = {
  offer: 'permessage-deflate',
  needs: (agreed, peer) => !(peer === 'server' ? agreed.clientNoContextTakeover : agreed.serverNoContextTakeover),
}
const clientForgets: DeflateWish = {
  offer: 'permessage-deflate; client_no_context_takeover',
  answer: '; server_no_context_takeover',
}

/** Messages of which each refers to all before it. */
function connected(count: number, size: number): readonly Step[] {
  const steps: Step[] = []
  let before = Buffer.alloc(0)
  for (let at = 0; at < count; at++) {
    const message = Buffer.concat([Buffer.from(`message ${at} `), bytesIn(octets(size))])
    steps.push(
      send(compressed(deflated(message, 15, before.length > 0 ? before : undefined), false)),
      binaryBack(message),
    )
    before = Buffer.concat([before, message]).subarray(-32_768)
  }
  return steps
}

const context = [
  ...group(
    {
      section: '7692-7.2.2',
      rule: 'Where context takeover was not given up, a message may refer to those before it.',
      deflate: clientContext,
    },
    [
      ['two messages, of which the second refers to the first', connected(2, 500)],
      ['ten messages, of which each refers to those before it', connected(10, 500)],
      ['messages that fill the window of 32 KiB', connected(6, 16_000)],
      ['messages longer than the window', connected(3, 40_000)],
      [
        'an uncompressed message between two that are connected',
        [...connected(1, 500), send(text('plain')), textBack('plain'), ...connected(2, 500).slice(2)],
      ],
    ],
  ),
  ...group(
    {
      section: '7692-7.1.1',
      rule: 'Where context takeover was given up, each message begins with an empty window.',
      deflate: clientForgets,
    },
    [
      ['three like messages, each on its own', alike(3)],
      ['twenty like messages, each on its own', alike(20)],
    ],
  ),
]

function alike(count: number): readonly Step[] {
  const message = Buffer.from('the same words, and the same words, and the same words')
  return Array.from({ length: count }, () => [send(compressed(deflated(message))), textBack(message)]).flat()
}

const windows = group(
  {
    section: '7692-7.1.2',
    rule: 'A window that is smaller than 32 KiB is kept to by whoever has agreed on it.',
    side: 'client',
  },
  [9, 10, 12, 14, 15].map(
    (bits): Row => [
      `client_max_window_bits=${bits}`,
      exchange,
      { deflate: { answer: `; client_max_window_bits=${bits}` } },
    ],
  ),
)

const answered = group(
  { section: '7692-7.1', rule: 'A client keeps to what the server has answered.', side: 'client' },
  [
    ['no parameters', exchange, { deflate: { answer: '' } }],
    ['server_no_context_takeover', exchange, { deflate: { answer: '; server_no_context_takeover' } }],
    ['client_no_context_takeover', exchange, { deflate: { answer: '; client_no_context_takeover' } }],
    [
      'both without context takeover',
      exchange,
      { deflate: { answer: '; server_no_context_takeover; client_no_context_takeover' } },
    ],
    [
      'server_max_window_bits=10, which a server may say unasked',
      exchange,
      { deflate: { answer: '; server_max_window_bits=10' } },
    ],
  ],
)

const bombs = group(
  {
    section: '10.4',
    rule: 'A limit on messages holds for what they are inflated to: 1009, or all of it comes back.',
    level: 'should',
  },
  [16, 64].map(
    (mebibytes): Row => [
      `${mebibytes} MiB of zeros in a short frame`,
      [
        send(binary(() => deflated(Buffer.alloc(mebibytes << 20)), { reserved: 4 })),
        { step: 'message', text: false, payload: () => Buffer.alloc(mebibytes << 20), orTooBig: true },
      ],
      { heavy: true, deflate: { offer: 'permessage-deflate' } },
    ],
  ),
)

export const deflateOffers: readonly Draft[] = [
  ...keeps,
  ...declined,
  ...fallbacks,
  ...context,
  ...windows,
  ...answered,
  ...bombs,
]
