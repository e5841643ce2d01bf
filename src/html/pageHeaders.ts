// The headers of a page that needs nobody else: it may run its own script and style, connect to its own server, and do nothing
// else, whatever gets into its text.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

/** What stands in a page: its style, and its script if it has one. */
export interface PageParts {
  readonly style: string
  readonly script?: string
}

/** The Content-Security-Policy under which a page may use these parts of its own. */
export function pagePolicy({ style, script }: PageParts): string {
  return [
    "default-src 'none'",
    ...(script === undefined ? [] : [`script-src ${sourceOf(script)}`]),
    `style-src ${sourceOf(style)}`,
    ...(script === undefined ? [] : ["connect-src 'self'", 'img-src data:']),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** All headers of a page with this text. */
export function pageHeaders(text: string, parts: PageParts): Readonly<Record<string, string | number>> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Content-Security-Policy': pagePolicy(parts),
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  }
}

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
