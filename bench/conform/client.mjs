// A client that is tested by `/conform`: it asks for the list, connects to each case, and sends every message back. It runs on
// Node.js with ws, undici or millrace, and on Bun with Bun's own.
const [base, kind] = process.argv.slice(2)

/** A client that hangs on a case goes on with the next one. */
const LONGEST = 12_000
const AT_ONCE = 6

async function echoOf() {
  if (kind === 'millrace') return withMillrace((await import('../../dist/src/client.js')).connect)
  if (kind === 'ws') return withWebSocket((await import('ws')).WebSocket)
  if (kind === 'undici') return withWebSocket((await import('undici')).WebSocket)
  return withWebSocket(globalThis.WebSocket)
}

function withWebSocket(WebSocket) {
  return (url, ended) => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.onmessage = ({ data }) => socket.send(data)
    socket.onerror = () => undefined
    socket.onclose = ended
  }
}

function withMillrace(connect) {
  return (url, ended) => {
    const message = (connection, data) => connection.send(data)
    connect(url, { deflate: true, message, close: ended, error: () => undefined }).catch(ended)
  }
}

const echo = await echoOf()

function run(path) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST)
    const ended = () => {
      clearTimeout(timer)
      resolve()
    }
    try {
      echo(`ws://${base}${path}`, ended)
    } catch {
      ended()
    }
  })
}

const list = await (await fetch(`http://${base}/conform`)).json()
const left = list.cases.values()
const work = async () => {
  for (const { path } of left) await run(path)
}
await Promise.all(Array.from({ length: AT_ONCE }, work))
console.log(list.run)
process.exit()
