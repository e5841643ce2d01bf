// Which server of a Redis cluster a channel belongs to.
import { isRefusal, type RedisClient } from './redisConnection.js'

const SLOTS = 16_384
/** CRC-16 with the polynomial 0x1021, as the specification of Redis Cluster asks. */
const POLYNOMIAL = 0x1021

/** The slot of a channel: if its name has a part in braces, that of this part. */
export function slotOf(channel: string): number {
  const begin = channel.indexOf('{')
  const end = channel.indexOf('}', begin + 1)
  const part = begin >= 0 && end > begin + 1 ? channel.slice(begin + 1, end) : channel
  return crc16(Buffer.from(part)) % SLOTS
}

function crc16(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte << 8
    for (let bit = 0; bit < 8; bit++) sum = (sum & 0x8000) === 0 ? sum << 1 : (sum << 1) ^ POLYNOMIAL
    sum &= 0xffff
  }
  return sum
}

/** The servers of a cluster by their slots. */
export class Slots {
  readonly #owners: (string | undefined)[] = new Array(SLOTS).fill(undefined)

  /** The addresses of all servers that have slots. */
  get addresses(): ReadonlySet<string> {
    return new Set(this.#owners.filter((owner) => owner !== undefined))
  }

  /** The address of the server of a channel; undefined for a slot that nobody has. */
  ownerOf(channel: string): string | undefined {
    return this.#owners[slotOf(channel)]
  }

  give(address: string, from = 0, to = SLOTS - 1): void {
    this.#owners.fill(address, from, to + 1)
  }
}

/** Asks a server, whose own address is `address`, who has which slots. Without a cluster, it has them all itself. */
export async function askSlots(client: RedisClient, address: string): Promise<Slots> {
  const slots = new Slots()
  try {
    for (const { from, to, master } of await client.clusterSlots()) {
      // A server that does not know its own name leaves it out, or says `?`: it is who was asked.
      const host = master.host === '' || master.host === '?' ? new URL(`redis://${address}`).hostname : master.host
      slots.give(`${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${master.port}`, from, to)
    }
  } catch (error) {
    if (!(error instanceof Error) || !isRefusal(error) || !/cluster support disabled/.test(error.message)) throw error
    slots.give(address)
  }
  return slots
}
