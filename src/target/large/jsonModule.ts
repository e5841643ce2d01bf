// The module of `/json`, for the threads of its pool.
import { summarize } from './jsonSummary.js'

export { summarize as default }
