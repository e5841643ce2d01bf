// What `millrace bench --script` runs: clients of a chat that join a room, say something now and then, and measure how long it
// takes until they hear themselves. Start the target (`millrace`), and then:
//
//   millrace bench ws://127.0.0.1:9001/topics/chat --script examples/load-script.mjs --connections 20 --rate 50

/**
 * @typedef {{ name: string, next: number, sent: Map<number, number> }} Client
 * @typedef {Required<import('millrace/client').LoadScript<Client>>} Hooks
 */

/** @type {Hooks['open']} */
export function open(connection) {
  connection.data.name = `client-${connection.id}`
  connection.data.sent = new Map()
  connection.data.next = 0
}

// Called at the rate of --rate. `due` is when it was due: what is measured from then on is charged for every delay.
/** @type {Hooks['tick']} */
export function tick(connection, _load, due) {
  const { data } = connection
  const id = data.next++
  data.sent.set(id, due)
  connection.send(JSON.stringify({ from: data.name, id, text: 'hello, everybody' }))
}

/** @type {Hooks['message']} */
export function message(connection, message, load) {
  /** @type {{ from: string, id: number }} */
  const { from, id } = Object(message.json())
  const { name, sent } = connection.data
  if (from !== name) return // somebody else's
  const due = sent.get(id)
  if (due === undefined) throw new Error(`the server sent message ${id} twice`)
  sent.delete(id)
  load.answered(due)
}
