// The entry `millrace/ws`: the package ws over millrace, under the names of ws. Whoever requires it gets the class
// WebSocket with all of the others; whoever imports it gets the same objects.
export * from './ws/module.js'
export { default } from './ws/module.js'
