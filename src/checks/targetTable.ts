// The options of `startTarget`: those of `listen`, and what a target serves.
import { numbers } from './commonTables.js'
import { type Checklist, flag, object, port, text, wholeNumber } from './kinds.js'
import { limits } from './limits.js'
import { listenOptions, serverOptions } from './tables.js'

export const limitsOfTarget = {
  owner: 'the option limits',
  prefix: 'limits.',
  example: (name: string) => `limits: { ${name} }`,
  options: numbers(limits),
} satisfies Checklist

const bounds = {
  owner: 'the option bounds',
  prefix: 'bounds.',
  example: (name: string) => `bounds: { ${name} }`,
  options: {
    size: wholeNumber(1),
    rate: wholeNumber(1),
    count: wholeNumber(1),
    time: wholeNumber(1, 2 ** 30),
    pushers: wholeNumber(0),
  },
} satisfies Checklist

const { deflate, broker } = serverOptions.options

export const servedOptions = {
  limits: object('an object: { maxMessage }', limitsOfTarget),
  deflate,
  broker,
  bounds: object('an object: { size, rate, count, time, pushers }', bounds),
  faults: flag,
  admin: flag,
  allowCorrupt: flag,
  showSecrets: flag,
  adminPort: port,
  adminHost: text,
} as const

export const targetOptions = {
  owner: 'startTarget',
  prefix: '',
  example: (name: string) => `startTarget({ ${name} })`,
  options: { ...listenOptions.options, ...servedOptions },
} satisfies Checklist
