// The value of a Sec-WebSocket-Extensions header, as ws reads and writes it. The core's own reader (protocol/extensions.ts)
// goes over what it can't read; ws refuses the whole header, and so does this one.
import { Scanner } from './tokens.js'

/** Values of each parameter of one element; a parameter without a value has `true`. */
export type Parameters = Record<string, (string | true)[]>

/** The elements of a header by the name of their extension. */
export type Extensions = Record<string, Parameters[]>

/** What `format` writes: one value or several of each parameter. */
export type Formattable = Readonly<Record<string, unknown>>

/** Reads a header. Throws a SyntaxError where it breaks the grammar. */
export function parse(header: string): Extensions {
  const extensions: Extensions = Object.create(null)
  const scanner = new Scanner(header)
  for (;;) {
    const name = scanner.token()
    scanner.blanks(true)
    add(extensions, name, parametersAt(scanner))
    if (scanner.ended) return extensions
    if (!scanner.takes(',')) scanner.fail()
    scanner.blanks()
  }
}

function parametersAt(scanner: Scanner): Parameters {
  const parameters: Parameters = Object.create(null)
  while (scanner.takes(';')) {
    scanner.blanks()
    const name = scanner.token()
    add(parameters, name, scanner.takes('=') ? valueAt(scanner) : true)
    scanner.blanks(true)
  }
  return parameters
}

/** A value must be a token when the backslashes of a quoted one are taken away (RFC 6455, section 9.1). */
function valueAt(scanner: Scanner): string {
  return scanner.takes('"') ? scanner.quoted() : scanner.token()
}

function add<Value>(table: Record<string, Value[]>, name: string, value: Value): void {
  const values = table[name]
  if (values === undefined) table[name] = [value]
  else values.push(value)
}

/** Writes a header: `{ name: parameters }` or `{ name: [parameters, …] }`. */
export function format(extensions: Formattable): string {
  return Object.entries(extensions)
    .flatMap(([name, elements]) => listOf(elements).map((parameters) => [name, ...written(parameters)].join('; ')))
    .join(', ')
}

function written(parameters: unknown): string[] {
  return Object.entries(parameters as object).flatMap(([name, values]) =>
    listOf(values).map((value) => (value === true ? name : `${name}=${value}`)),
  )
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}
