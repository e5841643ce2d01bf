// The value of a Sec-WebSocket-Extensions header, as ws reads and writes it. The core's own reader (protocol/extensions.ts)
// goes over what it can't read; ws refuses the whole header, and so does this one.
import { BLANKS, Scanner, TOKEN_CHARACTER } from './tokens.js'

/** Values of each parameter of one element; a parameter without a value has `true`. */
export type Parameters = Record<string, (string | true)[]>

/** The elements of a header by the name of their extension. */
export type Extensions = Record<string, Parameters[]>

/** What `format` writes: one value or several of each parameter. */
export type Formattable = Readonly<Record<string, unknown>>

const NAME = new RegExp(`${TOKEN_CHARACTER}+`, 'y')
const COMMA = new RegExp(`${BLANKS},${BLANKS}`, 'y')
// A quoted value must be a token when its backslashes are taken away (RFC 6455, section 9.1).
const PARAMETER = new RegExp(
  `${BLANKS};${BLANKS}(${TOKEN_CHARACTER}+)(?:=(?:(${TOKEN_CHARACTER}+)|"((?:\\\\?${TOKEN_CHARACTER})+)"))?`,
  'y',
)

/** Reads a header. Throws a SyntaxError where it breaks the grammar. */
export function parse(header: string): Extensions {
  const extensions: Extensions = Object.create(null)
  const scanner = new Scanner(header)
  do {
    const name = scanner.take(NAME)?.[0]
    if (name === undefined) throw scanner.error
    add(extensions, name, parametersAt(scanner))
  } while (scanner.take(COMMA) !== undefined)
  if (!scanner.ended) throw scanner.error
  return extensions
}

function parametersAt(scanner: Scanner): Parameters {
  const parameters: Parameters = Object.create(null)
  for (let found = scanner.take(PARAMETER); found !== undefined; found = scanner.take(PARAMETER)) {
    const [, name = '', token, quoted] = found
    add(parameters, name, token ?? quoted?.replaceAll('\\', '') ?? true)
  }
  return parameters
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
