// Reads Prometheus' text format (version 0.0.4), strictly: what Prometheus would refuse, throws here.

/** One line: a number with its labels. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What one answer says: of each metric its type and help, and all numbers. */
export class PrometheusText {
  readonly types = new Map<string, string>()
  readonly helps = new Map<string, string>()
  readonly samples: readonly Sample[]

  constructor(text: string) {
    if (!text.endsWith('\n')) throw new Error('the last line does not end')
    const samples: Sample[] = []
    for (const line of text.split('\n')) {
      const [, word, name = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? []
      if (word !== undefined) {
        const facts = word === 'HELP' ? this.helps : this.types
        if (facts.has(name)) throw new Error(`${word} of ${name} is said twice`)
        facts.set(name, rest)
      } else if (line.startsWith('#')) throw new Error(`not understood: ${line}`)
      else if (line !== '') samples.push(sampleOf(line))
    }
    this.samples = samples
    for (const { name } of samples) if (this.typeOf(name) === undefined) throw new Error(`${name} has no type`)
    const keys = samples.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`)
    if (new Set(keys).size < keys.length) throw new Error('a number is said twice')
  }

  /** The type of the metric to which a name belongs. */
  typeOf(name: string): string | undefined {
    const own = this.types.get(name)
    if (own !== undefined) return own
    const family = this.types.get(name.replace(/_(?:bucket|sum|count)$/, ''))
    return family === 'histogram' ? family : undefined
  }

  /** The sum of all numbers of this name with these labels. */
  sum(name: string, labels: Sample['labels'] = {}): number {
    const found = this.samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    if (found.length === 0) throw new Error(`there is no ${name} with ${JSON.stringify(labels)}`)
    return found.reduce((sum, { value }) => sum + value, 0)
  }
}

function sampleOf(line: string): Sample {
  const [, name = '', inner = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === '') throw new Error(`not understood: ${line}`)
  const labels: Record<string, string> = {}
  let rest = inner
  while (rest !== '') {
    const [all = '', label = '', text = ''] = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/.exec(rest) ?? []
    if (all === '') throw new Error(`labels are not understood: ${line}`)
    labels[label] = text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
    rest = rest.slice(all.length)
  }
  const number = value === '+Inf' ? Infinity : Number(value)
  if (Number.isNaN(number)) throw new Error(`not a number: ${line}`)
  return { name, labels, value: number }
}
