// The one list of payload lengths that benchmarks and tests use: both sides of every border that the wire format has
// (RFC 6455, section 5.2), and a few sizes between them that people send.

/** The width of the field that carries the length. */
export type Tier = '7-bit' | '16-bit' | '64-bit'

export interface TierLength {
  readonly tier: Tier
  readonly length: number
  readonly label: string
}

const KIB = 1024
const MIB = 1024 * 1024

export const tiers: readonly TierLength[] = [
  { tier: '7-bit', length: 0, label: '0 B' },
  { tier: '7-bit', length: 16, label: '16 B' },
  { tier: '7-bit', length: 125, label: '125 B' },
  { tier: '16-bit', length: 126, label: '126 B' },
  { tier: '16-bit', length: KIB, label: '1 KiB' },
  { tier: '16-bit', length: 16 * KIB, label: '16 KiB' },
  { tier: '16-bit', length: 65_535, label: '65,535 B' },
  { tier: '64-bit', length: 65_536, label: '65,536 B' },
  { tier: '64-bit', length: MIB, label: '1 MiB' },
  { tier: '64-bit', length: 16 * MIB, label: '16 MiB' },
]
