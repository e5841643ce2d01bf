// What the page does: sends messages, compares what comes back with what was sent, byte by byte, and takes the time.
// It runs in the browser, so it is plain JavaScript and asks for nothing but a WebSocket.
export const pageScript = `
'use strict'
const $ = (id) => document.getElementById(id)
const utf8 = new TextEncoder()
const LONGEST_LOG = 8
let socket
/** What was sent and has not come back: messages come back in the order in which they left. */
let waiting = []

function connect() {
  const opening = new WebSocket(location.origin.replace('http', 'ws'))
  socket = opening
  opening.binaryType = 'arraybuffer'
  show('connecting', 'Connecting…')
  opening.onopen = () => show('open', 'Connected')
  opening.onmessage = ({ data }) => cameBack(data)
  opening.onclose = ({ code, reason, wasClean }) => closed(code, reason, wasClean)
}

function show(state, text) {
  $('state').dataset.state = state
  $('state').textContent = text
  for (const button of document.querySelectorAll('.needs-open')) button.disabled = state !== 'open'
  $('close').hidden = state === 'closed'
  $('reconnect').hidden = state !== 'closed'
  if (state !== 'closed') $('close-code').textContent = location.origin.replace('http', 'ws')
}

function closed(code, reason, wasClean) {
  show('closed', 'Closed')
  const how = (wasClean ? '' : ', without a goodbye') + (reason ? ': ' + reason : '')
  $('close-code').textContent = 'Close code ' + code + how
  for (const { item } of waiting) tell(item, 'lost', '✗', 'never came back', '')
  waiting = []
}

/** A text or bytes of exactly this many bytes; the text has characters of one, two, three and four. */
function payload(length, asText) {
  if (!asText) {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536))
    return bytes
  }
  const phrase = 'The water turns the wheel — el agua mueve el río, 水は回る 🌊 '
  const size = utf8.encode(phrase).length
  return phrase.repeat(length / size) + '.'.repeat(length % size)
}

function send(data) {
  const isText = typeof data === 'string'
  const bytes = isText ? utf8.encode(data) : data
  waiting.push({ isText, bytes, item: newItem(isText, bytes.length), sent: performance.now() })
  socket.send(data)
}

function cameBack(data) {
  const now = performance.now()
  const isText = typeof data === 'string'
  const bytes = isText ? utf8.encode(data) : new Uint8Array(data)
  const due = waiting.shift()
  if (due === undefined) return tell(newItem(isText, bytes.length), 'wrong', '✗', 'came, but nothing was sent', '')
  const wrong = difference(due, isText, bytes)
  const back = isText ? data.slice(0, 120) : hex(bytes)
  const time = (now - due.sent).toFixed(now - due.sent < 10 ? 2 : 1) + ' ms'
  tell(due.item, wrong === '' ? 'right' : 'wrong', wrong === '' ? '✓' : '✗', wrong || 'every byte is right', back, time)
}

/** What is wrong with what came back; nothing if every byte is right. */
function difference({ isText: wasText, bytes: sent }, isText, bytes) {
  if (wasText !== isText) return isText ? 'came back as text' : 'came back as binary'
  if (sent.length !== bytes.length) return 'came back with ' + bytes.length.toLocaleString('en') + ' bytes'
  const at = sent.findIndex((byte, index) => byte !== bytes[index])
  return at < 0 ? '' : 'byte ' + at.toLocaleString('en') + ' is wrong'
}

function hex(bytes) {
  const shown = Array.from(bytes.subarray(0, 32), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return bytes.length > 32 ? shown + ' …' : shown
}

function tier(length) {
  return length <= 125 ? '7-bit' : length <= 65535 ? '16-bit' : '64-bit'
}

/** A line of the log, built from text: nothing that comes back is ever read as HTML. */
function newItem(isText, length) {
  const item = document.createElement('li')
  const what = length.toLocaleString('en') + (length === 1 ? ' byte' : ' bytes')
  const parts = { mark: '…', what: '', time: '', back: '' }
  for (const [name, text] of Object.entries(parts)) {
    item.append(Object.assign(document.createElement(name === 'back' ? 'code' : 'span'), { className: name, textContent: text }))
  }
  item.dataset.what = (isText ? 'Text, ' : 'Binary, ') + what + ', ' + tier(length) + ' length'
  $('empty').hidden = true
  $('log').prepend(item)
  while ($('log').children.length > LONGEST_LOG) $('log').lastChild.remove()
  tell(item, 'waiting', '…', 'on its way', '', '')
  return item
}

function tell(item, verdict, mark, words, back, time = '') {
  item.dataset.verdict = verdict
  item.querySelector('.mark').textContent = mark
  item.querySelector('.what').textContent = item.dataset.what + ': ' + words
  item.querySelector('.time').textContent = time
  item.querySelector('.back').textContent = back
  if (verdict !== 'waiting') $('announcement').textContent = item.dataset.what + ': ' + words + (time && ', ' + time)
}

const asText = () => $('as-text').checked
for (const button of document.querySelectorAll('[data-length]')) {
  button.onclick = () => send(payload(Number(button.dataset.length), asText()))
}
$('own').onsubmit = (event) => {
  event.preventDefault()
  if (socket.readyState !== WebSocket.OPEN) return
  const text = $('own-text').value.toWellFormed?.() ?? $('own-text').value
  send(asText() ? text : utf8.encode(text))
}
$('close').onclick = () => {
  show('closing', 'Closing…')
  socket.close(1000, 'see you')
}
$('reconnect').onclick = connect
connect()
`
