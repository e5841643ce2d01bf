// Run by tests: a primary sends a megabyte over the link to its worker, which sends it back, and tells whether it is the
// same.
import { Buffer } from 'node:buffer'
import cluster from 'node:cluster'
import { linkTo, linkToPrimary, STDIO } from '../../src/cluster/link.js'

if (cluster.isPrimary) {
  cluster.setupPrimary({ stdio: [...STDIO], serialization: 'advanced' })
  const worker = cluster.fork()
  const link = linkTo(worker)
  if (link === undefined) throw new Error('no link')
  const sent = Buffer.alloc(1_000_000, 'what is published')
  const chunks: Buffer[] = []
  link.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if (Buffer.concat(chunks).length < sent.length) return
    console.log(Buffer.concat(chunks).equals(sent) ? 'same' : 'different')
    worker.process.kill('SIGKILL')
  })
  link.on('close', () => console.log('closed'))
  link.write(sent)
} else {
  const link = linkToPrimary()
  link.pipe(link)
}
