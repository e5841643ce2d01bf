// All attacks, in the order of the table.
import type { Attack } from './attack.js'
import { onHandshake } from './onHandshake.js'
import { unsettled } from './unsettled.js'
import { whileReading } from './whileReading.js'
import { withoutReading } from './withoutReading.js'

export const catalogue: readonly Attack[] = [...whileReading, ...withoutReading, ...unsettled, ...onHandshake]

export function attackOf(name: string): Attack {
  const found = catalogue.find((attack) => attack.name === name)
  if (found === undefined) throw new Error(`there is no attack ${name}`)
  return found
}
