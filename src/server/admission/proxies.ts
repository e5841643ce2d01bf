// Which client a request came from: trusted proxies add the client's address to X-Forwarded-For.
import { BlockList, isIP } from 'node:net'
import { callerError } from '../../checks/errors.js'
import { elementsOf } from '../../protocol/fieldValue.js'

export class TrustedProxies {
  readonly #trusted = new BlockList()
  readonly #unix: boolean

  /**
   * Addresses (`10.0.0.1`, `::1`), networks (`10.0.0.0/8`), and `unix` for all that connect through a Unix socket.
   * Throws a TypeError for anything else.
   */
  constructor(proxies: readonly string[]) {
    this.#unix = proxies.includes('unix')
    for (const proxy of proxies) if (proxy !== 'unix') this.#add(proxy)
  }

  trusts(address: string | undefined): boolean {
    if (address === undefined) return this.#unix
    const plain = unmapped(address)
    return this.#trusted.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
  }

  /** The client's address: the last in the chain of proxies that is not one of ours. */
  clientOf(peer: string | undefined, forwarded: string | undefined): string | undefined {
    let client = peer
    if (forwarded === undefined) return client
    // An empty element counts for nothing, but for the last one: a proxy that adds no address leaves what a client wrote.
    if (/,[ \t]*$/.test(forwarded)) return client
    for (const entry of elementsOf(forwarded).toReversed()) {
      if (!this.trusts(client)) break
      const address = addressIn(entry)
      if (address === undefined) break // a proxy of ours wrote no address: what it forwards can't be followed further
      client = address
    }
    return client
  }

  #add(proxy: string): void {
    const [address = '', prefix, ...more] = proxy.split('/')
    const version = isIP(address)
    const bits = Number(prefix)
    const most = version === 6 ? 128 : 32
    const wrong = version === 0 || more.length > 0 || (prefix !== undefined && !(/^\d+$/.test(prefix) && bits <= most))
    if (wrong)
      throw callerError(
        'ERR_PROXY_ADDRESS',
        `${JSON.stringify(proxy)} is not a trusted proxy: use 10.0.0.1, 10.0.0.0/8, ::1 or unix`,
      )
    const family = version === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) this.#trusted.addAddress(address, family)
    else this.#trusted.addSubnet(address, bits, family)
  }
}

/** `::ffff:10.0.0.1`, as a socket for both IP versions says it, is 10.0.0.1. */
function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}

/** The address of an entry, which may have a port. */
function addressIn(entry: string): string | undefined {
  const address = /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry
  return isIP(address) === 0 ? undefined : address
}
