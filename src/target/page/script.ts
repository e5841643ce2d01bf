// What the page does: sends messages, compares what comes back with what was sent, byte by byte, and takes the time.
// It runs in the browser, so it is plain JavaScript and asks for nothing but a WebSocket.
export const pageScript = `
'use strict'
const $ = (id) => document.getElementById(id)
const utf8 = new TextEncoder()
const LONGEST_LOG = 8
const address = location.origin.replace('http', 'ws')
let socket
/** What was sent and has not come back: messages come back in the order in which they left. */
let waiting = []

function connect() {
  socket = new WebSocket(address)
  socket.binaryType = 'arraybuffer'
  show('connecting', 'Connecting…', address)
  socket.onopen = () => show('open', 'Connected', address + (socket.extensions && ', ' + socket.extensions))
  socket.onmessage = ({ data }) => cameBack(data)
  socket.onclose = ({ code, reason, wasClean }) => closed(code, reason, wasClean)
}

function show(state, text, detail) {
  $('state').dataset.state = state
  $('state').textContent = text
  $('close-code').textContent = detail
  for (const button of document.querySelectorAll('.needs-open')) button.disabled = state !== 'open'
  const over = state === 'closed' || state === 'lost'
  const [shown, hidden] = over ? [$('reconnect'), $('close')] : [$('close'), $('reconnect')]
  const hadFocus = document.activeElement === hidden
  shown.hidden = false
  hidden.hidden = true
  if (hadFocus) shown.focus()
}

function closed(code, reason, wasClean) {
  const detail = 'Close code ' + code + (reason && ': ' + reason)
  if (wasClean) show('closed', 'Closed', detail)
  else show('lost', 'Connection lost', detail)
  for (const { item } of waiting) tell(item, 'lost', 'never came back')
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
  return phrase.repeat(Math.floor(length / size)) + '.'.repeat(length % size)
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
  if (due === undefined) return tell(newItem(isText, bytes.length), 'wrong', 'nobody had sent this')
  const wrong = difference(due, isText, bytes)
  const time = now - due.sent
  const back = isText ? data.slice(0, 120) : hex(bytes)
  if (wrong === '') tell(due.item, 'right', 'every byte is right', time.toFixed(time < 10 ? 2 : 1) + ' ms', back)
  else tell(due.item, 'wrong', wrong, '', back)
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

/** A line of the log, built from text: nothing that comes back is ever read as HTML. */
function newItem(isText, length) {
  const item = document.createElement('li')
  for (const name of ['what', 'time', 'verdict', 'back']) {
    item.append(Object.assign(document.createElement('span'), { className: name }))
  }
  const count = length.toLocaleString('en') + (length === 1 ? ' byte of ' : ' bytes of ')
  item.querySelector('.what').textContent = count + (isText ? 'text' : 'binary')
  $('empty').hidden = true
  $('log').prepend(item)
  while ($('log').children.length > LONGEST_LOG) $('log').lastChild.remove()
  tell(item, 'waiting', 'on its way')
  return item
}

function tell(item, verdict, words, time = '', back = '') {
  item.dataset.verdict = verdict
  item.querySelector('.verdict').textContent = words
  item.querySelector('.time').textContent = time
  item.querySelector('.back').textContent = back
  if (verdict === 'waiting') return
  $('announcement').textContent = item.querySelector('.what').textContent + ': ' + words + (time && ', ' + time)
}

const asText = () => $('as-text').checked
for (const button of document.querySelectorAll('[data-length]')) {
  button.onclick = () => send(payload(Number(button.dataset.length), asText()))
}
$('own').onsubmit = (event) => {
  event.preventDefault()
  if (socket.readyState !== WebSocket.OPEN) return
  const text = $('own-text').value
  send(asText() ? text : utf8.encode(text))
}
$('close').onclick = () => {
  show('closing', 'Closing…', address)
  socket.close(1000, 'see you')
}
$('reconnect').onclick = connect
connect()
`
