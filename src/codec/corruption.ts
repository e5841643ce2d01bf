// Why something is no DEFLATE, in the words of zlib, which people know and look for.

/** By the number that the codec says (assembly/bitInput.ts, CORRUPT_BLOCK_TYPE and those behind it). */
const REASONS = [
  'invalid block type',
  'invalid stored block lengths',
  'too many length or distance symbols',
  'invalid code lengths set',
  'invalid bit length repeat',
  'invalid code -- missing end-of-block',
  'invalid literal/lengths set',
  'invalid distances set',
  'invalid literal/length code',
  'invalid distance code',
  'invalid distance too far back',
  'unexpected end of file',
] as const

export function corruptionText(reason: number): string {
  return REASONS[reason] ?? 'invalid data'
}
