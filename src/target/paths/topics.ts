// `/topics/NAME` and `/broadcast`: what one client sends comes to everybody there, wherever the broker reaches.
import { type Route, route } from '../../server/options.js'
import { MAX_TOPIC_BYTES } from '../../topics/broker.js'
import type { TargetPath } from '../path.js'
import type { TargetContext } from '../targetContext.js'

/** `/broadcast` is a name for this topic. */
const BROADCAST = 'broadcast'

export const topicPaths: readonly TargetPath[] = [
  {
    path: '/broadcast',
    about: 'sends every message to everybody on this path, the sender included; it is the same as /topics/broadcast',
    example: '/broadcast',
    client: 'gets its own messages and those of all others, each once',
    parameters: {},
    route: (context) => subscribed('/broadcast', context, () => BROADCAST),
  },
  {
    path: '/topics/:topic',
    about: 'sends every message to everybody on the same topic, the sender included',
    example: '/topics/news',
    client: 'gets what is sent to its topic, in every process and through every broker, and nothing of other topics',
    parameters: {},
    route: (context) => subscribed('/topics/:topic', context, ({ topic = '' }) => topic),
  },
]

function subscribed(
  path: string,
  context: TargetContext,
  topicOf: (params: Readonly<Record<string, string>>) => string,
): Route {
  return route<string>({
    upgrade({ params }) {
      const topic = topicOf(params)
      if (Buffer.byteLength(topic) > MAX_TOPIC_BYTES) return { status: 414, body: 'the name of the topic is too long' }
      return { data: topic }
    },
    open(connection) {
      context.visits.count(path, connection)
      connection.subscribe(connection.data)
    },
    close: (_, code, reason) => context.visits.ended(path, code, reason),
    message(connection, message) {
      context.server.publish(connection.data, message)
    },
  })
}
