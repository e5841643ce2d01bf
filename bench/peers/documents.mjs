// What millrace's pool does with a document: what the other servers do in their message handlers.
export default function handle(message) {
  return String(message.json().length)
}
