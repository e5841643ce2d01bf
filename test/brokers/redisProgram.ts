// Another machine, as far as Redis can tell: a process that answers what is published on 'question' on 'answer', says
// 'ready' when it can, and ends by itself when its input does.
import { redisBroker } from '../../src/brokers/redisBroker.js'
import { eventually } from '../support/socketClient.js'

const broker = redisBroker(process.argv[2] ?? '')
broker.attach((_topic, payload, isText) => broker.publish('answer', payload, isText))
broker.subscribe('question')
await eventually(() => broker.statistics.connected, 'Redis is there')
console.log('ready')
process.stdin.resume().on('end', async () => {
  await broker.close()
  console.log(JSON.stringify(broker.statistics))
})
