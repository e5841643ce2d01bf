// Headers of the PROXY protocol, version 2, as a proxy writes them.
import { Buffer } from 'node:buffer'

export const LOCAL = 0x20
export const PROXY = 0x21

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

export function proxyHeader(command: number, family: number, payload: Uint8Array): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(payload.length)
  return Buffer.concat([SIGNATURE, Buffer.from([command, family]), length, payload])
}

/** For a client at an IPv4 address, given as text. */
export function ipv4Header(address: string): Buffer {
  const source = Buffer.from(address.split('.').map(Number))
  return proxyHeader(PROXY, 0x11, Buffer.concat([source, Buffer.from([10, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb])]))
}

/** For a client at an IPv6 address, given as 32 hexadecimal digits. */
export function ipv6Header(address: string): Buffer {
  return proxyHeader(PROXY, 0x21, Buffer.concat([Buffer.from(address, 'hex'), Buffer.alloc(20, 7)]))
}
