// The life of a connection as a table: what every event asks for in every state, for the server and for the client; and
// every order in which the two sides can say Close (RFC 6455, sections 5.5.1 and 7.1).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CloseStatus } from '../../src/protocol/closeCode.js'
import { Action, Lifecycle } from '../../src/protocol/lifecycle.js'
import type { Role } from '../../src/protocol/role.js'

/** Everything that can happen to a connection. */
const events = {
  sendClose: (life: Lifecycle) => life.sendClose({ code: 3000, reason: 'ours' }),
  receiveClose: (life: Lifecycle) => life.receiveClose({ code: 4000, reason: 'theirs' }),
  fail: (life: Lifecycle) => life.fail({ code: 1002, reason: 'failed' }),
  peerEnds: (life: Lifecycle) => life.peerEnds(),
  flushed: (life: Lifecycle) => life.flushed(),
  progress: (life: Lifecycle) => life.progress(),
  expires: (life: Lifecycle) => life.expires(),
  terminate: (life: Lifecycle) => life.terminate(),
  transportGone(life: Lifecycle) {
    life.transportGone()
    return Action.none
  },
}
type Event = keyof typeof events

const WIND_UP = 'limitTime stopDelivery flush'
const SAY_AND_WIND_UP = `sayClose ${WIND_UP}`

/** What an event does in a state: the state after it, and what it asks for. */
type Cell = readonly [after: string, actions?: string]

interface Row {
  /** How the state is reached. */
  readonly after: readonly Event[]
  readonly state: string
  readonly cells: Readonly<Record<Event, Cell>>
}

const DESTROYS = { expires: ['ending', 'destroy'], terminate: ['ending', 'destroy'], transportGone: ['gone'] } as const
/** Nothing is delivered any more, so that neither a Close nor a fault of the peer can be seen, and none is said. */
const ENDING = { sendClose: ['ending'], receiveClose: ['ending'], fail: ['ending'], ...DESTROYS } as const

/** The rows that are the same for both roles. */
const common: Readonly<Record<string, Row>> = {
  open: {
    after: [],
    state: 'open',
    cells: {
      sendClose: ['closing', 'sayClose limitTime'],
      receiveClose: ['ending', SAY_AND_WIND_UP],
      fail: ['ending', SAY_AND_WIND_UP],
      peerEnds: ['ending', WIND_UP],
      flushed: ['open'],
      progress: ['open'],
      expires: ['open'],
      terminate: ['ending', 'destroy'],
      transportGone: ['gone'],
    },
  },
  'closing: this side has said Close': {
    after: ['sendClose'],
    state: 'closing',
    cells: {
      sendClose: ['closing'],
      receiveClose: ['ending', WIND_UP],
      fail: ['ending', WIND_UP],
      peerEnds: ['ending', WIND_UP],
      flushed: ['closing'],
      progress: ['closing', 'limitTime'],
      ...DESTROYS,
    },
  },
  'ending: the peer has closed its half, and nobody has said Close': {
    after: ['peerEnds'],
    state: 'ending',
    cells: { ...ENDING, peerEnds: ['ending', WIND_UP], flushed: ['ending', 'finish'], progress: ['ending'] },
  },
  'ending: both have said Close, and the peer has closed its half': {
    after: ['receiveClose', 'peerEnds'],
    state: 'ending',
    cells: {
      ...ENDING,
      peerEnds: ['ending', WIND_UP],
      flushed: ['ending', 'finish'],
      progress: ['ending', 'limitTime'],
    },
  },
  'ending: terminated': {
    after: ['terminate'],
    state: 'ending',
    cells: { ...ENDING, peerEnds: ['ending', WIND_UP], flushed: ['ending'], progress: ['ending'] },
  },
  'ending: the peer has closed its half, and everything is written': {
    after: ['peerEnds', 'flushed'],
    state: 'ending',
    cells: { ...ENDING, peerEnds: ['ending', WIND_UP], flushed: ['ending'], progress: ['ending'] },
  },
  gone: {
    after: ['transportGone'],
    state: 'gone',
    cells: {
      sendClose: ['gone'],
      receiveClose: ['gone'],
      fail: ['gone'],
      peerEnds: ['gone'],
      flushed: ['gone'],
      progress: ['gone'],
      expires: ['gone'],
      terminate: ['gone'],
      transportGone: ['gone'],
    },
  },
  'gone: after Close': {
    after: ['receiveClose', 'transportGone'],
    state: 'gone',
    cells: {
      sendClose: ['gone'],
      receiveClose: ['gone'],
      fail: ['gone'],
      peerEnds: ['gone'],
      flushed: ['gone'],
      progress: ['gone'],
      expires: ['gone'],
      terminate: ['gone'],
      transportGone: ['gone'],
    },
  },
}

/** The states in which nothing is delivered while the peer has not closed its half. */
const ways = {
  'the peer has said Close': ['receiveClose'],
  'both have said Close': ['sendClose', 'receiveClose'],
  'this side has failed the connection': ['fail'],
  'this side has failed the connection after Close': ['sendClose', 'fail'],
} as const

/** Section 7.1.1: the server closes the TCP connection first, and the client waits for that. */
function rowsOf(role: Role): Readonly<Record<string, Row>> {
  const rows: Record<string, Row> = { ...common }
  for (const [name, after] of Object.entries(ways)) {
    const cells = { ...ENDING, peerEnds: ['ending', WIND_UP], progress: ['ending', 'limitTime'] } as const
    const flushed = role === 'server' ? (['ending', 'halfClose'] as const) : (['ending'] as const)
    rows[`ending: ${name}`] = { after, state: 'ending', cells: { ...cells, flushed } }
    const again = [...after, 'flushed'] as const
    rows[`ending: ${name}, all is written`] = {
      after: again,
      state: 'ending',
      cells: { ...cells, flushed: ['ending'] },
    }
  }
  return rows
}

function reached(role: Role, after: readonly Event[]): Lifecycle {
  const life = new Lifecycle(role)
  for (const event of after) events[event](life)
  return life
}

function namesOf(actions: number): string {
  const names = Object.entries(Action).flatMap(([name, bit]) => ((actions & bit) === 0 ? [] : [name]))
  return names.join(' ')
}

for (const role of ['server', 'client'] as const) {
  for (const [name, row] of Object.entries(rowsOf(role))) {
    describe(`${role}, ${name}`, () => {
      test('what it answers', () => {
        const life = reached(role, row.after)
        assert.equal(life.state, row.state)
        assert.equal(life.isOpen, row.state === 'open')
        assert.equal(life.delivers, row.state === 'open' || row.state === 'closing')
        assert.equal(life.isGone, row.state === 'gone')
      })

      for (const event of Object.keys(events) as Event[]) {
        const [after, actions = ''] = row.cells[event]
        test(`${event}: ${after}, ${actions || 'nothing to do'}`, () => {
          const life = reached(role, row.after)
          assert.equal(namesOf(events[event](life)), actions)
          assert.equal(life.state, after)
        })
      }
    })
  }
}

test('a server that has half-closed ends the TCP connection when the peer has closed its half, too', () => {
  const life = reached('server', ['receiveClose', 'flushed'])
  assert.equal(namesOf(life.peerEnds()), WIND_UP)
  assert.equal(namesOf(life.flushed()), 'finish')
})

test('a client ends the TCP connection only after the server has closed its half, or when its time is over', () => {
  const life = reached('client', ['receiveClose', 'flushed', 'flushed'])
  assert.equal(namesOf(life.flushed()), '')
  life.peerEnds()
  assert.equal(namesOf(life.flushed()), 'finish')
  const late = reached('client', ['receiveClose', 'flushed'])
  assert.equal(namesOf(late.expires()), 'destroy')
})

type Step = 'send' | 'receive' | 'fail'
const STEPS: readonly Step[] = ['send', 'receive', 'fail']

/** Every sequence of up to `length` steps. */
function* sequences(length: number): Generator<readonly Step[]> {
  yield []
  if (length === 0) return
  for (const rest of sequences(length - 1)) for (const step of STEPS) yield [step, ...rest]
}

/** The same step at another place says something else, so that the first can be told from the second. */
function statusOf(step: Step, place: number): CloseStatus {
  return { code: (step === 'send' ? 3000 : 4000) + place, reason: `${step} ${place}` }
}

/** What the rules make of it: the frames that this side sends, and how the connection ends. */
function expected(steps: readonly Step[]): { frames: CloseStatus[]; outcome: CloseStatus } {
  const frames: CloseStatus[] = []
  const end = steps.findIndex((step) => step !== 'send')
  const sends = steps.slice(0, end < 0 ? undefined : end)
  if (sends.length > 0) frames.push(statusOf('send', 0))
  const last = steps[end]
  if (last === undefined) return { frames, outcome: { code: 1006, reason: '' } }
  const status = statusOf(last, end)
  // Section 5.5.1: Close is answered with the code that it carried; nothing is sent after Close, a second Close neither.
  if (frames.length === 0) frames.push(last === 'receive' ? { code: status.code, reason: '' } : status)
  // Section 7.1.5: what the peer's Close said; but what this side has failed the connection with comes first.
  return { frames, outcome: last === 'receive' ? status : (frames[0] ?? status) }
}

describe('every order of sending, receiving and failing', () => {
  for (const steps of sequences(4)) {
    test(steps.join(', ') || 'nothing', () => {
      const life = new Lifecycle('server')
      const frames: CloseStatus[] = []
      steps.forEach((step, place) => {
        const status = statusOf(step, place)
        const actions =
          step === 'send' ? life.sendClose(status) : step === 'receive' ? life.receiveClose(status) : life.fail(status)
        if ((actions & Action.sayClose) !== 0) frames.push(life.closeFrame)
      })
      assert.deepEqual({ frames, outcome: life.outcome }, expected(steps))
    })
  }
})

describe('how it ends', () => {
  test('without any Close: 1006', () => {
    assert.deepEqual(new Lifecycle('server').outcome, { code: 1006, reason: '' })
  })

  test('a Close without a code is answered without one, and the outcome is 1005 (section 7.1.5)', () => {
    const life = new Lifecycle('server')
    life.receiveClose({ code: 1005, reason: '' })
    assert.deepEqual(life.closeFrame, { code: 1005, reason: '' })
    assert.deepEqual(life.outcome, { code: 1005, reason: '' })
  })

  test('our own Close that nobody answered: 1006', () => {
    const life = new Lifecycle('server')
    life.sendClose({ code: 1001, reason: 'bye' })
    life.peerEnds()
    assert.deepEqual(life.outcome, { code: 1006, reason: '' })
  })
})
