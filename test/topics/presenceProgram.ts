// One of several processes whose presence is tested: it is in 'room' by one connection of its own, over the Redis of its
// argument, and prints who it sees there, whenever that changes.
import { redisBroker } from '../../src/brokers/redisBroker.js'
import { createPresence, createServer } from '../../src/index.js'

const [, , url = '', name = ''] = process.argv
const server = createServer({ broker: redisBroker(url) })
const presence = createPresence(server, { lease: 900 })
presence.watch('room', () => console.log(JSON.stringify(presence.members('room')?.map(({ info }) => info))))
presence.join({ id: name, isOpen: true }, 'room', name)
setInterval(() => undefined, 1000)
