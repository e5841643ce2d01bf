// An error that a caller can cause has a code that is documented. So errors are made by the catalogue and nowhere else, but
// for those that no caller can cause, each of which has its reason here; and the catalogue has no code that nobody uses.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { callerErrors } from '../../src/checks/errors.js'
import { codeOf, read, sourcesIn } from './source.js'

/** Files that make errors by themselves, and why they may. */
const WITHOUT_CODE: Readonly<Record<string, string>> = {
  'src/checks/errors.ts': 'it is the catalogue',
  'src/codec/region.ts': 'a region that is released twice is a fault of ours',
  'src/codec/heap.ts': 'a block that is freed twice is a fault of ours',
  'src/codec/slab.ts': 'a block that is freed twice is a fault of ours',
  'src/connection/receiving/inflation.ts': 'a message that is inflated for nobody is a fault of ours',
  'src/codec/violations.ts': 'a status that is not known is a fault of ours',
  'src/codec/instance.ts': 'the system refuses the memory that any server needs, before there is a server',
  'src/protocol/upgradeRequest.ts': 'a request head that was read and can not be read again is a fault of ours',
  'src/internals/stream.ts': 'whoever asks for the private API has looked whether it is there',
  'src/server/lanes/sessionErrors.ts': 'node:http2 looks at a code only beside an error, which nobody is shown',
  'src/ws/serverOptions.ts': 'the errors of ws have no codes',
  'src/ws/clientAddress.ts': 'the errors of ws have no codes',
  'src/ws/clientOpening.ts': 'the errors of ws have no codes',
  'src/ws/clientOptions.ts': 'the errors of ws have no codes',
  'src/ws/webSocketServer.ts': 'the errors of ws have no codes',
  'src/ws/refusal.ts': 'the errors of ws have no codes',
  'src/ws/perMessageDeflate.ts': 'the errors of ws have no codes',
  'src/ws/subprotocol.ts': 'the errors of ws have no codes',
  'src/ws/tokens.ts': 'the errors of ws have no codes',
  'src/cluster/orders.ts': 'an error of the system or of the application comes from an acceptor as it was there',
  'src/client/connectError.ts': 'what a lookup passes on in place of an Error is the cause of one that has a code',
  'src/client/webSocket.ts': 'the WebSocket of browsers throws what browsers throw (WHATWG WebSockets, section 3)',
  'src/client/webSocketArguments.ts':
    'the WebSocket of browsers throws what browsers throw (WHATWG WebSockets, section 3)',
  'src/transport/systemError.ts': 'an error of the system has the code that Node gives it',
  'src/ws/errors.ts': 'programs written for ws look at the codes and the texts of ws',
  'src/checks/units.ts': 'the command line shows the message to a person',
  'src/command/arguments.ts': 'the command line shows the message to a person',
  'src/command/bench/arguments.ts': 'the command line shows the message to a person',
  'src/load/patterns/scriptCourse.ts': 'the command line shows the message to a person',
  'src/command/bench/findOptions.ts': 'the command line shows the message to a person',
  'src/load/scriptFile.ts': 'the command line shows the message to a person',
  'src/load/processes/loadBy.ts': 'the command line shows the message to a person',
  'src/command/conform/arguments.ts': 'the command line shows the message to a person',
}

/** Classes of errors that have no code, and why they need none. */
const CLASSES_WITHOUT_CODE: Readonly<Record<string, string>> = {
  UsageError: 'the command line shows the message to a person',
  Unreachable: 'the command line shows the message to a person',
}

const KINDS = /^(?:(?:Aggregate|Eval|Range|Reference|Syntax|Type|URI)?Error|DOMException)$/

const sources = sourcesIn('src')

/** Whether a file makes an error of a class of JavaScript's own, with `new` or without. */
function makesErrors(path: string): boolean {
  const code = codeOf(read(path))
  return code.some(({ kind, text }, at) => {
    if (kind !== 'word' || !KINDS.test(text) || code[at + 1]?.text !== '(') return false
    return !['.', 'function'].includes(code[at - 1]?.text ?? '')
  })
}

describe('errors', () => {
  test('are made by the catalogue, but where no caller can cause them', () => {
    const making = sources.filter(makesErrors)
    assert.deepEqual(
      making.filter((path) => WITHOUT_CODE[path] === undefined),
      [],
    )
  })

  test('nothing is excused that needs no excuse', () => {
    const making = sources.filter((path) => path === 'src/checks/errors.ts' || makesErrors(path))
    assert.deepEqual(
      Object.keys(WITHOUT_CODE).filter((path) => !making.includes(path)),
      [],
    )
  })

  test('of classes of our own have a code, too', () => {
    const classes = sources.flatMap((path) =>
      [...read(path).matchAll(/^(?:export )?class (\w+) extends \w*Error \{(\}|[\s\S]*?\n\})/gm)].map(
        ([, name = '', body]) => ({
          name,
          coded: /\breadonly code\b/.test(body ?? ''),
        }),
      ),
    )
    assert.ok(classes.length >= 5)
    for (const { name, coded } of classes) assert.equal(coded, CLASSES_WITHOUT_CODE[name] === undefined, name)
  })
})

describe('each code of the catalogue', () => {
  const all = sources.filter((path) => path !== 'src/checks/errors.ts').map(read)
  for (const [code, [, when, remedy]] of Object.entries(callerErrors)) {
    test(code, () => {
      assert.ok(
        all.some((source) => source.includes(`'${code}'`)),
        'nobody uses it',
      )
      assert.match(code, /^ERR_[A-Z]+(?:_[A-Z]+)*$/)
      for (const words of [when, remedy]) assert.match(words, /^[A-Z`'].*\.$/, 'it is a sentence')
    })
  }
})

test('whole numbers are checked in one place, and in one wording', () => {
  const wording = sources.filter((path) =>
    codeOf(read(path)).some(({ kind, text }) => kind !== 'word' && /\bwhole number\b/.test(text)),
  )
  assert.deepEqual(wording, ['src/checks/errors.ts', 'src/checks/kinds.ts'])
})
