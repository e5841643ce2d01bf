// The outline of a WebAssembly binary: its sections, and what it imports.

export interface Section {
  readonly id: number
  readonly content: Buffer
}

/** The ids of the sections that are asked for. */
export const SECTION_IMPORT = 2
export const SECTION_START = 8
export const SECTION_DATA = 11

const MAGIC_AND_VERSION = 8

export function sectionsOf(binary: Buffer): Section[] {
  const sections: Section[] = []
  const reader = new Reader(binary, MAGIC_AND_VERSION)
  while (!reader.done) sections.push({ id: reader.byte(), content: reader.block() })
  return sections
}

/** The only import of a module that imports one memory; throws for anything else. */
export function importedMemory(section: Buffer): { module: string; name: string; shared: boolean } {
  const reader = new Reader(section, 0)
  if (reader.number() !== 1) throw new Error('the module does not import exactly one thing')
  const module = reader.block().toString()
  const name = reader.block().toString()
  if (reader.byte() !== 2) throw new Error('the import is not a memory')
  return { module, name, shared: (reader.byte() & 2) !== 0 }
}

class Reader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++)
  }

  /** An unsigned number in LEB128. */
  number(): number {
    const byte = this.byte()
    return byte < 0x80 ? byte : (byte & 0x7f) + 128 * this.number()
  }

  /** Bytes behind their number. */
  block(): Buffer {
    const length = this.number()
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}
