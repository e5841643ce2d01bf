// What `millrace bench --help` says: the two loops first, because what a latency means depends on them.
import { table } from '../options.js'
import { defaults } from './defaults.js'
import { patternRows } from './patterns.js'
import { reachRows } from './reach.js'

export const benchHelpText = `millrace bench: what does a WebSocket server take?

A closed loop sends again when the answers are there: it finds the most that a
server takes. An open loop (--rate) sends on schedule, whether or not answers
came, and charges each message from the moment at which it was due: a server
that stalls is charged for every message that it kept waiting.

  millrace bench ws://127.0.0.1:9001          100 connections for 10 seconds
  millrace bench ws://127.0.0.1:9001 --size 16KiB --pipeline 16 --verify
  millrace bench ws://127.0.0.1:9001 --text --size 200 --rate 5000
  millrace bench ws://127.0.0.1:9001 --find-rate --p99 5ms

The server may be any one that sends every message back. Start \`millrace\` in
another terminal, or use your own.

How much
${table([
  ['connections', String(defaults.connections), 'number of connections'],
  ['size', String(defaults.size), 'payload per message (0, 200, 16k, 64KiB)'],
  ['pipeline', String(defaults.pipeline), 'messages in flight per connection'],
  ['rate', '', 'messages per second over all connections,\nsent on schedule even if answers are late'],
  ['find-rate', '', 'search for the largest rate that holds --p99;\neach try takes 2 s, and --duration confirms it'],
  ['p99', '', 'what the 99th percentile must not exceed (5ms)'],
  ['processes', '1', 'processes that load, or auto: one for each\nprocessor, less one if the server is here'],
])}
How long (10, 500ms, 2m; a number alone means seconds)
${table([
  ['duration', `${defaults.duration}s`, 'how long to measure'],
  ['warmup', '1s', 'how long to send before that'],
])}
What to send (binary messages, unless you choose one of these)
${table([
  ['text', '', 'JSON, all ASCII'],
  ['utf8', '', 'JSON with characters of two and three bytes'],
  ['deflate', '', 'JSON, each message compressed'],
])}
What the connections do (they wait for echoes, unless you choose one of these)
${table(patternRows)}
How to connect (several addresses share the connections among them)
${table(reachRows)}
What to check
${table([
  ['verify', '', 'compare every byte of every answer, and not\nonly lengths and sequence numbers'],
  ['no-sequence', '', 'send the same bytes each time, no numbers'],
  [
    'threshold',
    '',
    "what must hold, as in k6: 'p(99)<5' (ms),\navg, min, med, max, 'rate>1000', 'errors<1';\nas often as you like",
  ],
])}
Output
${table([
  ['json', '', 'print one line of JSON, for programs, with\nmetrics as k6 has them'],
  ['compare', '', 'a file with such a line of an earlier run:\nwhat has changed, with confidence intervals'],
  ['html', '', 'a file for a report with charts'],
  ['hgrm', '', 'a file for latencies, as of HdrHistogram'],
  ['otlp', '', 'where to send metrics meanwhile, by OTLP over\nHTTP, such as http://127.0.0.1:4318'],
  ['progress', '', 'say how it goes, also without a terminal'],
  ['help', '', 'show this text (-h)'],
])}
With --deflate, the client offers permessage-deflate as browsers do, and the
server must accept it. Answers are inflated, whether or not they are compared.

Without --rate, the latency is the time from sending to the last answer of all
messages in flight on a connection.

Messages with room for it carry their number (8 bytes; 26 of text), so that the
answers that are lost, doubled or reordered are counted. If the load generator
itself was the limit, the report says so.

What the server sends before the first message is a greeting, which is reported
but not counted. Pings and Close are answered. Ctrl+C stops early and prints
what was measured so far. The exit code is 0, or 1 if the server could not be
reached, failed, or sent anything but echoes, or if a threshold does not hold.`
