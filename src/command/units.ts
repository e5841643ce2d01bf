// The lengths and times of the command line are written as those of the target's paths: one reader reads both.
export { formatDuration, formatSize, parseCount, parseDuration, parseSize } from '../checks/units.js'
