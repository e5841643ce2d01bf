// JSON as applications send it: orders with the same members, each with numbers of its own.
import { Buffer } from 'node:buffer'

/** `count` documents of exactly `length` bytes of ASCII, the same ones each time; the last order of each may be cut. */
export function documentsOf(length: number, count: number): Buffer[] {
  let last = 6455
  const next = (end: number): number => {
    last = (Math.imul(last, 1_103_515_245) + 12_345) >>> 0
    return (last >>> 8) % end
  }
  return Array.from({ length: count }, () => {
    let text = `{"id":${next(1e6)},"customer":"customer-${next(1e4)}","items":[`
    while (text.length < length) text += `{"sku":"SKU-${next(1e5)}","quantity":${next(20)},"price":${next(1e5) / 100}},`
    return Buffer.from(text.slice(0, length))
  })
}
