// The functions that read the headers of the opening handshake: what they return, and where they say that one is wrong.
import { inspect } from 'node:util'
import { same } from './same.js'

type Parse = (header: string) => unknown

const EXTENSIONS = [
  'foo',
  ' foo',
  'foo ',
  'foo; ',
  'foo;',
  'foo,',
  'foo ,bar',
  'f o',
  'foo=',
  ';',
  'foo;bar;baz="a b"',
  'foo;bar=" a"',
  'foo;bar=""',
  'foo;bar="',
  'foo;bar="a',
  'foo;bar="a\\',
  'foo;bar="\\a\\\\"',
  'foo;bar="a"b',
  'foo;bar=a"',
  'foo;bar="a\\b";baz',
  'foo;bar="a" , b',
  'foo ; bar = 1',
  'foo ; bar= 1',
  'foo; bar=\tx',
  'foo; bar=;',
  'foo; bar=1 ; bar=2, foo',
  'foo; bar=1 2',
  '__proto__; constructor',
  'föö',
]
for (const header of EXTENSIONS) {
  same(`extension.parse of ${inspect(header)}`, async (stage) => {
    const { parse } = Reflect.get(stage.module, 'extension') as { readonly parse: Parse }
    stage.call('parsed', () => parse(header))
  })
}

const SUBPROTOCOLS = [
  'a',
  'a,b',
  'a, b ',
  'a ,b',
  ' a',
  'a,,b',
  'a,a',
  'a, a b',
  'a,a ',
  ' ',
  '',
  'a b',
  ',a',
  'a,',
  'ä',
]
for (const header of SUBPROTOCOLS) {
  same(`subprotocol.parse of ${inspect(header)}`, async (stage) => {
    const { parse } = Reflect.get(stage.module, 'subprotocol') as { readonly parse: Parse }
    stage.call('parsed', () => parse(header))
  })
}
