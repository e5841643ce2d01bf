// The tables of the option `topics`.
import { numbers } from './commonTables.js'
import { type Checklist, callback, either, flag, object } from './kinds.js'
import { historyQuantities, topicQuantities } from './quantities.js'

export const historyOptions = {
  owner: 'the option topics.history',
  prefix: 'topics.history.',
  example: (name: string) => `topics: { history: { ${name} } }`,
  options: numbers(historyQuantities),
} satisfies Checklist

export const topicsOptions = {
  owner: 'the option topics',
  prefix: 'topics.',
  example: (name: string) => `topics: { ${name} }`,
  options: {
    history: either(callback, object('an object: { messages, bytes, maxAge }', historyOptions)),
    envelope: either(flag, callback),
    ...numbers(topicQuantities),
  },
} satisfies Checklist

/** How a connection subscribes. */
export const subscribeOptions = {
  owner: 'subscribe',
  prefix: '',
  example: (name: string) => `connection.subscribe(topic, { ${name} })`,
  options: { after: { words: 'a position: a string', is: (value: unknown) => typeof value === 'string' } },
} satisfies Checklist
