// The closing handshake (RFC 6455, section 7): who has said Close, and with which code the connection ends.
import { CloseCode, type CloseStatus } from './closeCode.js'

/** One connection's closing handshake, from this side. Nothing may be sent once `sent` is true (section 5.5.1). */
export class ClosingHandshake {
  #sent: CloseStatus | undefined
  #received: CloseStatus | undefined
  #failed = false

  get sent(): boolean {
    return this.#sent !== undefined
  }

  get received(): boolean {
    return this.#received !== undefined
  }

  /** Both sides have said Close, or this side has failed the connection: nothing that arrives now matters. */
  get complete(): boolean {
    return this.#sent !== undefined && (this.#received !== undefined || this.#failed)
  }

  /** Notes that this side sends Close; false if it already has. */
  send(status: CloseStatus): boolean {
    if (this.#sent !== undefined) return false
    this.#sent = status
    return true
  }

  /** Notes the peer's Close; later ones are ignored. */
  receive(status: CloseStatus): void {
    this.#received ??= status
  }

  /** Notes that this side fails the connection (section 7.1.7). */
  fail(): void {
    this.#failed = true
  }

  /** The code to answer a peer's Close with: its own, or none where it sent none (section 5.5.1). */
  get answer(): number | undefined {
    const code = this.#received?.code
    return code === CloseCode.none ? undefined : code
  }

  /**
   * How the connection ended: what this side failed it with, else what the peer's Close said,
   * else 1006 (section 7.1.5).
   */
  get outcome(): CloseStatus {
    if (this.#failed && this.#sent !== undefined) return this.#sent
    return this.#received ?? { code: CloseCode.abnormal, reason: '' }
  }
}
