// The entry `millrace/ws/register`, for `node --import millrace/ws/register app.js`: whoever asks for the package ws, by
// import or by require, in whichever package, is given `millrace/ws`.
import { redirectModules } from '../internals/resolution.js'
import { redirects, TARGET } from './redirection.js'

redirectModules(redirects, TARGET, new URL('./registeredHooks.js', import.meta.url).href)
