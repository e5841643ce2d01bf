// A proxy rewrites what it passes on, and its clients may speak HTTP/2, which forbids headers that HTTP/1.1 demands. So
// nginx itself stands before a server here, with curl and ws as clients. Skipped where nginx or curl are not installed.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { connect as dial } from '../../src/client.js'
import { createServer } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'

const STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so'

function lacking(): string | false {
  if (spawnSync('nginx', ['-v']).error !== undefined) return 'nginx is not installed'
  const curl = spawnSync('curl', ['--version'], { encoding: 'utf8' })
  return curl.error === undefined && curl.stdout.includes('HTTP2') ? false : 'curl with HTTP/2 is not installed'
}

async function freePort(): Promise<number> {
  const server = createNetServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** The version of HTTP and the status that curl saw, and the body. */
async function curl(...args: string[]): Promise<string> {
  const child = spawn('curl', ['-sk', '--http2', '--max-time', '10', '-w', ' %{http_version} %{http_code}', ...args])
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(child, 'close')
  return text
}

describe('behind nginx', { skip: lacking() }, () => {
  const server = createServer({
    message: (connection, message) => connection.send(`${message.text()} ${connection.remoteAddress}`),
    request: async (request, response) => {
      let length = 0
      for await (const chunk of request) length += chunk.length
      response.end(`${request.method} ${length}`)
    },
    origins: ['self'],
  })
  const bare = createServer({ trustedProxies: ['127.0.0.1'] })
  const ports = { web: 0, refusing: 0, stream: 0 }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-nginx-'))
  let nginx: ReturnType<typeof spawn> | undefined

  before(async () => {
    await server.listen({ host: '127.0.0.1' })
    await server.listen({ host: '127.0.0.1', proxyProtocol: true })
    await bare.listen({ host: '127.0.0.1' })
    const [plain = 0, proxied = 0] = server.addresses.map((one) => (typeof one === 'string' ? 0 : one.port))
    Object.assign(ports, { web: await freePort(), refusing: await freePort(), stream: await freePort() })
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    )
    const web = (port: number, to: number): string => `
      server {
        listen 127.0.0.1:${port} ssl http2;
        ssl_certificate ${folder}/cert.pem;
        ssl_certificate_key ${folder}/key.pem;
        location / {
          proxy_pass http://127.0.0.1:${to};
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection "upgrade";
          proxy_set_header Host $host:$server_port;
        }
      }`
    const stream = `stream { server { listen 127.0.0.1:${ports.stream}; proxy_pass 127.0.0.1:${proxied}; proxy_protocol on; } }`
    const hasStream = existsSync(STREAM)
    const text = `${hasStream ? `load_module ${STREAM};` : ''} daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
      events {} http { access_log off; ${temporary.join(' ')} ${web(ports.web, plain)}
      ${web(ports.refusing, bare.address?.port ?? 0)} } ${hasStream ? stream : ''}`
    writeFileSync(join(folder, 'nginx.conf'), text)
    nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
    for (let attempt = 0; attempt < 100; attempt++) {
      const socket = connect({ port: ports.web, host: '127.0.0.1' })
      const reached = await new Promise((done) => socket.on('connect', () => done(true)).on('error', () => done(false)))
      socket.destroy()
      if (reached) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })

  after(async () => {
    const ended = nginx === undefined ? undefined : once(nginx, 'exit')
    nginx?.kill('SIGTERM')
    await ended
    await Promise.all([server.close(), bare.close()])
    rmSync(folder, { recursive: true })
  })

  test('a client of HTTP/2 gets the 426 of a server without request', async () => {
    assert.match(await curl(`https://127.0.0.1:${ports.refusing}/`), / 2 426$/)
    assert.match(await curl('-I', `https://127.0.0.1:${ports.refusing}/`), / 2 426$/)
  })

  test('and the answers of one with it, to GET and POST', async () => {
    assert.equal(await curl(`https://127.0.0.1:${ports.web}/`), 'GET 0 2 200')
    assert.equal(await curl('-d', 'hello', `https://127.0.0.1:${ports.web}/`), 'POST 5 2 200')
  })

  test('curl offers h2c to the server itself, and is answered in HTTP/1.1', async () => {
    const port = server.address?.port
    assert.equal(await curl(`http://127.0.0.1:${port}/`), 'GET 0 1.1 200')
    assert.equal(await curl('-d', 'hello', `http://127.0.0.1:${port}/`), 'POST 5 1.1 200')
  })

  test('a WebSocket passes, of a page of the same host', async () => {
    const url = `wss://127.0.0.1:${ports.web}/`
    const socket = new WebSocket(url, { rejectUnauthorized: false, origin: `https://127.0.0.1:${ports.web}` })
    socket.on('open', () => socket.send('hi'))
    const [data] = await once(socket, 'message')
    assert.equal(String(data), 'hi 127.0.0.1')
    socket.close()
    await once(socket, 'close')
  })

  test('a client of this package passes, too', async () => {
    const received = new Promise<string>((resolve, reject) => {
      dial(`wss://127.0.0.1:${ports.web}/`, {
        origin: `https://127.0.0.1:${ports.web}`,
        tls: { rejectUnauthorized: false },
        open: (connection) => void connection.send('hi'),
        message(connection, message) {
          connection.close(1000, 'thank you')
          resolve(message.text())
        },
      }).catch(reject)
    })
    assert.equal(await received, 'hi 127.0.0.1')
  })

  test('its stream module sends lines of PROXY protocol version 1', { skip: !existsSync(STREAM) }, async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${ports.stream}/`, { localAddress: '127.0.0.9' })
    socket.on('open', () => socket.send('hi'))
    const [data] = await once(socket, 'message')
    assert.equal(String(data), 'hi 127.0.0.9')
    socket.close()
    await once(socket, 'close')
  })
})
