// The PROXY header says who the client is, before anybody has been asked who they are. It must be read the same however it
// is cut, the address must be the one that was written, and what is no header must never be taken for one.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { isIP, SocketAddress } from 'node:net'
import { describe, test } from 'node:test'
import { readProxyHeader } from '../../src/protocol/proxyHeader.js'
import { Random } from '../support/httpRequests.js'
import { ipv4Header, ipv6Header, LOCAL, PROXY, proxyHeader } from '../support/proxyHeaders.js'

/** The header, cut at every byte: `more` until it is whole, and then always the same, whatever follows. */
function reads(header: Buffer, address: string | undefined): void {
  for (let cut = 0; cut < header.length; cut++) {
    assert.equal(readProxyHeader(header.subarray(0, cut)), 'more', `the first ${cut} bytes`)
  }
  for (const behind of [Buffer.alloc(0), Buffer.from('GET / HTTP/1.1\r\n'), header]) {
    assert.deepEqual(readProxyHeader(Buffer.concat([header, behind])), { length: header.length, address })
  }
}

describe('a header is read, at every split', () => {
  test('TCP over IPv4', () => reads(ipv4Header('192.0.2.1'), '192.0.2.1'))
  test('the lowest and the highest address', () => {
    reads(ipv4Header('0.0.0.0'), '0.0.0.0')
    reads(ipv4Header('255.255.255.255'), '255.255.255.255')
  })
  test('TCP over IPv6', () => reads(ipv6Header('20010db8000000000000000000000001'), '2001:db8::1'))
  test('with more after the addresses', () => {
    reads(proxyHeader(PROXY, 0x11, Buffer.concat([Buffer.from([192, 0, 2, 1]), Buffer.alloc(300)])), '192.0.2.1')
  })
  test('of the longest length', () => {
    reads(proxyHeader(PROXY, 0x11, Buffer.concat([Buffer.from([192, 0, 2, 1]), Buffer.alloc(4076)])), '192.0.2.1')
  })
  test('LOCAL, whatever it carries: the proxy speaks for itself', () => {
    reads(proxyHeader(LOCAL, 0, Buffer.alloc(0)), undefined)
    reads(proxyHeader(LOCAL, 0x11, Buffer.alloc(12, 9)), undefined)
    reads(proxyHeader(LOCAL, 0xff, Buffer.alloc(5)), undefined)
  })
  test('UNSPEC, datagrams and Unix sockets: no address', () => {
    for (const family of [0x00, 0x12, 0x22, 0x31, 0x32, 0x10]) {
      reads(proxyHeader(PROXY, family, Buffer.alloc(216, 1)), undefined)
    }
  })
})

describe('a line of version 1 is read, at every split', () => {
  const line = (text: string, address: string | undefined): void => reads(Buffer.from(`PROXY ${text}\r\n`), address)

  test('TCP over IPv4', () => {
    line('TCP4 192.0.2.1 192.0.2.2 56324 443', '192.0.2.1')
    line('TCP4 0.0.0.0 255.255.255.255 0 65535', '0.0.0.0')
  })
  test('TCP over IPv6, in the form of RFC 5952', () => {
    line('TCP6 2001:DB8:0:0:0:0:0:1 ::1 1 2', '2001:db8::1')
    line('TCP6 ::ffff:192.0.2.1 :: 1 2', '::ffff:192.0.2.1')
    line('TCP6 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:: 1 2', '1:2:3:4:5:6:7:8')
  })
  test('UNKNOWN, whatever it carries: no address', () => {
    line('UNKNOWN', undefined)
    line('UNKNOWN anything at all', undefined)
    line('UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535', undefined)
    line(`UNKNOWN ${'x'.repeat(107 - 16)}`, undefined)
  })
})

describe('a line that is none of version 1 is wrong', () => {
  for (const text of [
    'TCP4 192.0.2.1 192.0.2.2 1',
    'TCP4 192.0.2.1 192.0.2.2 1 2 3',
    'TCP4 192.0.2.1  192.0.2.2 1 2',
    'TCP4 192.0.2.1 192.0.2.2 1 2 ',
    ' TCP4 192.0.2.1 192.0.2.2 1 2',
    'TCP4\t192.0.2.1 192.0.2.2 1 2',
    'TCP4 192.0.2.256 192.0.2.2 1 2',
    'TCP4 192.0.2.01 192.0.2.2 1 2',
    'TCP4 192.0.2 192.0.2.2 1 2',
    'TCP4 192.0.2.1 nobody 1 2',
    'TCP4 192.0.2.1 192.0.2.2 65536 2',
    'TCP4 192.0.2.1 192.0.2.2 01 2',
    'TCP4 192.0.2.1 192.0.2.2 -1 2',
    'TCP4 ::1 ::1 1 2',
    'TCP6 192.0.2.1 192.0.2.2 1 2',
    'TCP6 1:2:3:4:5:6:7 :: 1 2',
    'TCP6 1:2:3:4:5:6:7:8:9 :: 1 2',
    'TCP6 1::2::3 :: 1 2',
    'TCP6 ::12345 :: 1 2',
    'TCP6 1:2:3:4:5:6:7:8:: :: 1 2',
    'TCP6 ::%eth0 :: 1 2',
    'UDP4 192.0.2.1 192.0.2.2 1 2',
    'tcp4 192.0.2.1 192.0.2.2 1 2',
    'UNKNOWNS',
    '',
    'TCP4 192.0.2.1 192.0.2.2 1 2\n',
  ]) {
    test(JSON.stringify(text), () => assert.equal(readProxyHeader(Buffer.from(`PROXY ${text}\r\n`)), 'wrong'))
  }
  test('one that does not end within 107 bytes', () => {
    const long = Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}\r\n`)
    assert.equal(readProxyHeader(long.subarray(0, 106)), 'more')
    assert.equal(readProxyHeader(long.subarray(0, 107)), 'wrong')
  })
  test('one that ends in LF alone', () => {
    assert.equal(readProxyHeader(Buffer.from(`PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n${'x'.repeat(100)}`)), 'wrong')
  })
})

describe('what is no header is wrong, at the byte that says so', () => {
  test('any other byte in the signature', () => {
    const header = ipv4Header('192.0.2.1')
    for (let at = 0; at < 12; at++) {
      const spoiled = Buffer.from(header)
      spoiled[at] = (spoiled[at] ?? 0) ^ 1
      assert.equal(readProxyHeader(spoiled), 'wrong')
      assert.equal(readProxyHeader(spoiled.subarray(0, at + 1)), 'wrong')
      if (at > 0) assert.equal(readProxyHeader(spoiled.subarray(0, at)), 'more')
    }
  })
  test('another version, another command', () => {
    for (const command of [0x00, 0x10, 0x11, 0x22, 0x2f, 0x31, 0xff]) {
      assert.equal(readProxyHeader(proxyHeader(command, 0x11, Buffer.alloc(12))), 'wrong')
    }
  })
  test('families and transports that do not exist', () => {
    for (const family of [0x13, 0x1f, 0x41, 0x40, 0xf0, 0xff]) {
      assert.equal(readProxyHeader(proxyHeader(PROXY, family, Buffer.alloc(216))), 'wrong')
    }
  })
  test('addresses that are cut short', () => {
    for (const length of [0, 4, 11])
      assert.equal(readProxyHeader(proxyHeader(PROXY, 0x11, Buffer.alloc(length))), 'wrong')
    for (const length of [0, 12, 35])
      assert.equal(readProxyHeader(proxyHeader(PROXY, 0x21, Buffer.alloc(length))), 'wrong')
  })
  test('a length that nobody needs, before it is waited for', () => {
    for (const length of [4081, 65_535]) {
      assert.equal(readProxyHeader(proxyHeader(PROXY, 0x11, Buffer.alloc(length)).subarray(0, 16)), 'wrong')
    }
  })
  test('HTTP, TLS, silence', () => {
    for (const text of ['GET / HTTP/1.1\r\n\r\n', 'PUT / HTTP/1.1\r\n\r\n', 'proxy ', '\x16\x03\x01', '\r\n\r\n\r']) {
      assert.equal(readProxyHeader(Buffer.from(text, 'latin1')), 'wrong')
    }
    assert.equal(readProxyHeader(Buffer.alloc(0)), 'more')
  })
})

describe('IPv6 addresses are written as RFC 5952 says', () => {
  const rows = {
    '00000000000000000000000000000000': '::',
    '00000000000000000000000000000001': '::1',
    '20010db8000000000000000000000000': '2001:db8::',
    '20010db8001000000001000200030004': '2001:db8:10:0:1:2:3:4',
    '20010db8001000000000000200030004': '2001:db8:10::2:3:4',
    '20010db8000000000001000000000001': '2001:db8::1:0:0:1',
    '20010000000000010000000000000001': '2001:0:0:1::1',
    '00010002000300040005000600070008': '1:2:3:4:5:6:7:8',
    '00000002000300040005000600070000': '0:2:3:4:5:6:7:0',
    '00100000000000100000000000100000': '10::10:0:0:10:0',
    fe80000000000000abcdef0123456789: 'fe80::abcd:ef01:2345:6789',
    '00000000000000000000ffffc0000201': '::ffff:192.0.2.1',
  }
  for (const [bytes, text] of Object.entries(rows)) {
    test(text, () => assert.equal(addressOf(bytes), text))
  }

  test('and mean what was written: 5,000 random ones, with many zeros', () => {
    const random = new Random(7)
    for (let count = 0; count < 5000; count++) {
      const groups = Array.from({ length: 8 }, () =>
        random.below(2) === 0 ? 0 : random.below(random.pick([3, 257, 65_536])),
      )
      const bytes = groups.map((group) => group.toString(16).padStart(4, '0'))
      const address = addressOf(bytes.join('')) ?? ''
      assert.equal(isIP(address), 6, address)
      const canonical = new SocketAddress({ family: 'ipv6', address: bytes.join(':') }).address
      assert.equal(new SocketAddress({ family: 'ipv6', address }).address, canonical, bytes.join(':'))
    }
  })
})

function addressOf(hex: string): string | undefined {
  const header = readProxyHeader(ipv6Header(hex))
  return typeof header === 'string' ? header : header.address
}
