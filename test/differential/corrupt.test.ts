// Compressed data that is none: the error is that of zlib, whose text, code and number programs know.
import { Buffer } from 'node:buffer'
import { BINARY, buildFrame } from '../support/frames.js'
import { same } from './same.js'

/** Bytes from bits, the first one lowest, as DEFLATE has them. */
function bits(text: string): Buffer {
  const all = text.replaceAll(' ', '').padEnd(64 * 8, '0')
  return Buffer.from(
    Array.from({ length: 64 }, (_, at) => Number.parseInt([...all.slice(8 * at, 8 * at + 8)].reverse().join(''), 2)),
  )
}

/** A number of so many bits, its lowest first. */
function number(value: number, width: number): string {
  return [...value.toString(2).padStart(width, '0')].reverse().join('')
}

const DYNAMIC = '0 01'
const FIXED = '0 10'
/** The order in which the lengths of the code length code are written. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** The head of a dynamic block, with the lengths of the code length code. */
function head(lengths: Readonly<Record<number, number>>, literals = 257, distances = 1): string {
  const counts = number(literals - 257, 5) + number(distances - 1, 5) + number(15, 4)
  return DYNAMIC + counts + ORDER.map((symbol) => number(lengths[symbol] ?? 0, 3)).join('')
}

/** 138 zeros, as the code length code {1: 1, 18: 1} writes them, where 1 is 0 and 18 is 1. */
const ZEROS = `1${number(127, 7)}`

const WRONG: Readonly<Record<string, Buffer>> = {
  'an unknown block': bits('0 11'),
  'a stored block whose lengths differ': Buffer.of(0, 1, 0, 1, 0, 5),
  'too many distance codes': bits(head({}, 257, 32)),
  'too many literals': bits(head({}, 288, 1)),
  'lengths that are no code': bits(head({ 1: 1, 2: 1, 3: 1 })),
  'lengths that are too few for a code': bits(head({ 1: 2 })),
  'a repetition of nothing': bits(`${head({ 16: 1, 1: 1 })}1 00 1`),
  'a repetition beyond the end': bits(`${head({ 1: 1, 18: 1 })}${ZEROS.repeat(2)}`),
  'no end of a block': bits(`${head({ 1: 1, 18: 1 })}${ZEROS}1${number(108, 7)}0`),
  'literals that are no code': bits(`${head({ 1: 1, 18: 1 })}0 0 1${number(127, 7)}1${number(105, 7)}0 0`),
  'a literal that is none': bits(`${FIXED}11000110`),
  'a distance that is none': bits(`${FIXED}00110000 0000001 11110`),
  'a distance before the beginning': bits(`${FIXED}00110000 0000001 00010`),
  'a stored block, and an unknown one': Buffer.concat([Buffer.of(0, 3, 0, 0xfc, 0xff, 1, 2, 3), bits('0 11')]),
}

for (const [name, payload] of Object.entries(WRONG)) {
  same(`compressed data that is none: ${name}`, async (stage) => {
    const { peer, ws } = await stage.pair({ perMessageDeflate: true }, ['Sec-WebSocket-Extensions: permessage-deflate'])
    ws.on('error', (error) => stage.note('details', Reflect.get(error, 'code'), Reflect.get(error, 'errno')))
    peer.write(buildFrame({ opcode: BINARY, reserved: 4, payload, key: Buffer.of(1, 2, 3, 4) }))
    await stage.finish(peer)
  })
}
