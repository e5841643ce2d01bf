// A strict reader of small XML files: whatever is not well-formed throws.

export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

const TAG = /^<(\/?)([a-z-]+)((?:\s+[a-z-]+="[^"<]*")*)\s*(\/?)>$/
const REFERENCE = /&(?!(?:amp|lt|gt|quot|apos|#\d+);)/

/** All elements in the order in which they begin. Throws for what is not well-formed. */
export function elementsOf(xml: string): readonly Element[] {
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, '')
  if (body === xml) throw new Error('it has no declaration')
  if (REFERENCE.test(body)) throw new Error('an ampersand that is no reference')
  const elements: Element[] = []
  const open: string[] = []
  for (const part of body.split(/(<[^>]*>)/)) {
    if (!part.startsWith('<')) {
      if (open.length === 0 && part.trim() !== '') throw new Error(`text outside of the root: ${part}`)
      continue
    }
    const [, closes, name = '', attributes = '', empty] = TAG.exec(part) ?? []
    if (name === '') throw new Error(`no tag: ${part}`)
    if (closes === '/') {
      if (open.pop() !== name) throw new Error(`${part} closes another element`)
      continue
    }
    elements.push({ name, attributes: attributesOf(attributes) })
    if (empty === '') open.push(name)
  }
  if (open.length > 0) throw new Error(`${open.join(', ')} is not closed`)
  return elements
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(/([a-z-]+)="([^"]*)"/g)) {
    if (name in attributes) throw new Error(`${name} comes twice`)
    attributes[name] = value
  }
  return attributes
}
