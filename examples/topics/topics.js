// Topics of a millrace server for browsers: they survive lost connections, and each publication is handed over once.
//   const topics = new Topics('wss://example.org', { publication({ topic, data }) {}, gap({ topic, reason }) {} })
export class Topics {
  #topics = new Map() // by name, where each stands: { position, comesBack, isAhead }
  #leaving = new Map() // by name, how many ends of subscriptions the server has not confirmed
  #delay = 500

  constructor(url, handlers) {
    Object.assign(this, { url, handlers })
    this.#connect()
  }

  subscribe(topic, after) {
    if (this.#topics.has(topic)) return
    this.#topics.set(topic, { position: after, comesBack: after !== undefined })
    this.#send({ subscribe: topic, after })
  }

  unsubscribe(topic) {
    if (!this.#topics.delete(topic) || this.socket.readyState !== 1) return
    this.#send({ unsubscribe: topic })
    this.#leaving.set(topic, (this.#leaving.get(topic) ?? 0) + 1)
  }

  close() {
    this.url = undefined
    this.socket.close()
  }

  #connect() {
    if (this.url === undefined) return
    this.socket = Object.assign(new WebSocket(this.url), { binaryType: 'arraybuffer' })
    this.socket.onmessage = ({ data }) => this.#take(...opened(data))
    this.socket.onopen = () => {
      this.#delay = 500
      this.#leaving.clear()
      for (const [topic, state] of this.#topics) {
        state.isAhead = false
        this.#send({ subscribe: topic, after: state.position })
      }
    }
    this.socket.onclose = () => setTimeout(() => this.#connect(), this.#delay * (0.5 + Math.random() / 2))
    this.#delay = Math.min(2 * this.#delay, 30_000)
  }

  #send(header) {
    if (this.socket.readyState === 1) this.socket.send(`${JSON.stringify(header)}\n`) // otherwise when it opens
  }

  #take({ topic, position, subscribed, unsubscribed, gap, refused }, data) {
    const left = this.#leaving.get(unsubscribed)
    if (left > 1) this.#leaving.set(unsubscribed, left - 1)
    else this.#leaving.delete(unsubscribed)
    const name = topic ?? subscribed ?? refused
    if (this.#leaving.has(name)) return // of a subscription that was ended
    const state = this.#topics.get(name)
    if (state === undefined || isHad(position, topic && state.position)) return
    if (topic !== undefined || !state.isAhead) state.position = position ?? state.position
    state.isAhead ||= topic !== undefined
    if (topic !== undefined) return this.handlers.publication({ topic, position, data })
    if (refused !== undefined && this.#topics.delete(refused)) this.handlers.gap?.({ topic: name, reason: 'refused' })
    else if (gap && state.comesBack) this.handlers.gap?.({ topic: name, ...gap })
    state.comesBack = true
  }
}

/** The header and the payload of a message. */
function opened(data) {
  const end = typeof data === 'string' ? data.indexOf('\n') : 2 + new DataView(data).getUint16(0)
  if (typeof data === 'string') return [JSON.parse(data.slice(0, end)), data.slice(end + 1)]
  return [JSON.parse(new TextDecoder().decode(data.slice(2, end))), new Uint8Array(data, end)]
}

/** Whether a publication is not later than another one, which was handed over. */
function isHad(position = '', had = '') {
  const [[epoch, number], [other, last]] = [position.split('.'), had.split('.')]
  return epoch !== '' && epoch === other && Number.parseInt(number, 36) <= Number.parseInt(last, 36)
}
