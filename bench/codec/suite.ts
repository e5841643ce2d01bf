// npm run bench -- codec: what each step of the codec costs next to its peers, and the figures that set defaults.
import { type Choice, type Found, measuring, type Suite } from '../support/suite.js'
import { allocateStep } from './allocating.js'
import { copyStep, inboxStep } from './buffering.js'
import { compressSteps } from './compressing.js'
import { countStep } from './counting.js'
import { maskStep, unmaskStep } from './masking.js'
import { runStep, type Step, type StepResult } from './measure.js'
import { offloadSteps } from './offloading.js'
import { unmaskAtStep, writeAtStep } from './pageOffsets.js'
import { parseSteps } from './parsing.js'
import { addonsAreNative } from './peers.js'
import { reportOf } from './report.js'
import { serializeStep } from './serializing.js'
import { validateSteps } from './validating.js'

export const suite: Suite = {
  options: { ...measuring, only: { type: 'string', value: 'TEXT', help: 'only steps whose name contains it' } },
  run,
}

async function run(choice: Choice): Promise<Found> {
  if (!addonsAreNative) console.error('bufferutil or utf-8-validate has no binary here: they are plain JavaScript')
  const steps: readonly Step[] = [
    unmaskStep,
    maskStep,
    ...parseSteps,
    serializeStep,
    ...validateSteps,
    ...compressSteps,
    ...offloadSteps(),
    inboxStep,
    copyStep,
    allocateStep,
    countStep,
    unmaskAtStep,
    writeAtStep,
  ]
  const found: StepResult[] = []
  for (const step of steps.filter(({ name }) => name.includes(choice.text('only')))) {
    const result = await runStep(step, choice.quick)
    found.push(result)
    console.log(reportOf(result))
  }
  return { figures: { addonsAreNative, steps: found }, ok: true }
}
