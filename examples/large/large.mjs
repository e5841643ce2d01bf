// This module runs in a thread of its own. Its result is sent on the connection from which the message came.
/** @type {import('millrace').LargeHandler} */
export default function handle(message) {
  if (!message.isText) return message // sent back from the memory where it lies
  const documents = message.json()
  return `${message.byteLength} bytes, ${documents.length} documents`
}
