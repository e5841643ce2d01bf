// For tests that are about Node's private API: where MILLRACE_PUBLIC_API forbids it, they skip, and say so.
import * as runner from 'node:test'

/** Why the private API can't be tested in this process; false if it can. */
export const privateApiForbidden: string | false =
  process.env['MILLRACE_PUBLIC_API'] === '1' && 'is about the private API, which MILLRACE_PUBLIC_API=1 forbids'

function skipped(name: string): Promise<void> {
  return runner.test(name, { skip: privateApiForbidden })
}

/** As those of node:test. */
export const describe = privateApiForbidden === false ? runner.describe : (skipped as unknown as typeof runner.describe)
export const test = privateApiForbidden === false ? runner.test : (skipped as unknown as typeof runner.test)
