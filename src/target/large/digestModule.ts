// The module of `/digest`, for the threads of its pool.
import { digest } from './digest.js'

export { digest as default }
