// Publishes by one broker until another one of the same process has received it, and says 'arrived'; or says what the
// trouble is. Its arguments: the kind of broker, and the address.
import { natsBroker } from '../../src/brokers/natsBroker.js'
import { redisBroker } from '../../src/brokers/redisBroker.js'
import { redisShardedBroker } from '../../src/brokers/redisSharded.js'
import { redisStreamsBroker } from '../../src/brokers/redisStreams.js'

const [, , kind, url = ''] = process.argv
const makers = new Map([
  ['redisBroker', redisBroker],
  ['redisShardedBroker', redisShardedBroker],
  ['redisStreamsBroker', redisStreamsBroker],
  ['natsBroker', natsBroker],
])
const make = makers.get(kind ?? '') ?? redisBroker

const end = (words: string): void => {
  console.log(words)
  process.exit()
}
const error = ({ message }: Error): void => end(message)
const [writer, reader] = [make(url, { error }), make(url, { error })]
writer.attach(() => undefined)
reader.attach(() => end('arrived'))
reader.subscribe('x')
setInterval(() => writer.publish('x', Buffer.from('hello'), true), 50)
