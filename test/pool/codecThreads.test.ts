// How many threads compress and inflate: none may hold up the event loop, and one processor is enough where threads go last.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mostThreads } from '../../src/pool/codecThreads.js'

const onOne = (program: string) =>
  spawnSync('taskset', ['-c', '0', process.execPath, '--input-type=module', '-e', program], { encoding: 'utf8' })

test('there is one thread less than processors, and no more than four', () => {
  assert.deepEqual(
    [2, 3, 5, 64].map((processors) => mostThreads(processors, 'linux')),
    [1, 2, 4, 4],
  )
  assert.deepEqual(
    [1, 2, 3, 64].map((processors) => mostThreads(processors, 'darwin')),
    [0, 1, 2, 4],
  )
})

test('on one processor, long messages are inflated and compressed by a thread that goes last', {
  skip: onOne('').status === 0 ? false : 'taskset can choose no processor here',
}, () => {
  const file = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../../${path}`, import.meta.url)))
  const { stdout, stderr } = onOne(`
    import { readdirSync, readFileSync } from 'node:fs'
    import { createServer } from ${file('src/index.js')}
    import { connect } from ${file('src/client.js')}
    const server = createServer({ deflate: true, message: (connection, message) => connection.send(message) })
    await server.listen({ port: 0, host: '127.0.0.1' })
    const text = 'a long message, '.repeat(40000) + Array.from({ length: 40000 }, (_, at) => at ** 3).join()
    const got = await new Promise((resolve, reject) => connect(\`ws://127.0.0.1:\${server.port}/\`, {
      deflate: true,
      open: (connection) => connection.send(text),
      message: (connection, message) => resolve(message.text()),
      close: reject,
    }))
    const nices = readdirSync('/proc/self/task').map((id) => readFileSync(\`/proc/self/task/\${id}/stat\`, 'latin1').split(') ')[1].split(' ')[16])
    console.log(got === text, nices.filter((nice) => nice === '19').length)
    process.exit()
  `)
  assert.equal(stdout, 'true 1\n', stderr)
})
