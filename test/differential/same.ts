// Runs a program on both engines, and compares what it has noted. ws says what is right: a program expects nothing itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Engine, engines } from './engines.js'
import { Stage } from './stage.js'

export type Program = (stage: Stage) => Promise<void>

/** How long a program may take, in milliseconds. */
const LIMIT = 10_000

/** A test: the program has to note the same on both. `skip` says why it can't run in this process; false if it can. */
export function same(name: string, program: Program, skip: string | false = false): void {
  test(name, { skip }, async () => {
    const [expected, actual] = await Promise.all(engines.map((engine) => logOf(engine, program)))
    assert.ok(expected !== undefined && expected.length > 0, 'the program notes something')
    assert.deepEqual(actual, expected)
  })
}

/** A test: what the program notes differs, as docs/ecosystem.md says. */
export function differs(name: string, program: Program, expected: Readonly<Record<Engine['name'], unknown>>): void {
  test(`different from ws: ${name}`, async () => {
    for (const engine of engines) assert.deepEqual(await logOf(engine, program), expected[engine.name], engine.name)
  })
}

async function logOf(engine: Engine, program: Program): Promise<unknown[]> {
  const stage = new Stage(engine)
  try {
    await Promise.race([
      program(stage),
      delay(LIMIT, undefined, { ref: false }).then(() => {
        throw new Error(`it is not over after ${LIMIT} ms; there is ${JSON.stringify(stage.log)}`)
      }),
    ])
    return [...stage.log]
  } catch (error) {
    throw new Error(`on ${engine.name}: ${error instanceof Error ? error.message : error}`, { cause: error })
  } finally {
    stage.over()
  }
}
