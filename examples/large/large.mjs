// Runs in a thread of its own. What it returns is sent on the connection that the message came from.
/** @type {import('millrace').LargeHandler} */
export default function handle(message) {
  if (!message.isText) return message // the echo: sent from where it lies
  const documents = message.json()
  return `${message.byteLength} bytes, ${documents.length} documents`
}
