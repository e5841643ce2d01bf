// A thread that compresses and inflates in the memory of the server's thread. Imported by piscina, nobody else.
import { platform, setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import { runTask, type TaskResult } from '../codec/codecTask.js'
import { MappedCodec } from '../codec/mapped.js'
import type { CodecThreadData, PlacedTask } from './codecThreads.js'

const { memory } = workerData as CodecThreadData
const codec = new MappedCodec(memory)

// Only Linux gives a thread a priority of its own; elsewhere this would be the whole process's.
if (platform() === 'linux') setPriority(19)

export default function run({ workspace, task }: PlacedTask): TaskResult {
  return runTask(codec, workspace, task)
}
