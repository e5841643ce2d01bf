// What a process costs that only loads a library: prints its CPU time, in microseconds, from its start on.
// usage: import NAME
const modules = {
  millrace: '../../dist/src/index.js',
  ws: 'ws',
  'uWebSockets.js': './uws.mjs',
}
await import(modules[process.argv[2]])
const { user, system } = process.cpuUsage()
console.log(user + system)
