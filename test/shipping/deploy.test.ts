// The files of examples/deploy are copied to machines where nobody looks at them again. What can't be run here (a daemon of
// Docker, a cluster, systemd as the first process) is checked otherwise: docs/deploying.md says how.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { parseArguments } from '../../src/command/arguments.js'
import { WsClient } from '../clients/wsClient.js'
import { copyDependencies, install, missing, root, temporary } from './installed.js'

const folder = join(root, 'examples/deploy')
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

/** The user `nobody`, where this test runs as root. */
const NOBODY = 65_534
const other = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

function variablesIn(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/\b(MILLRACE_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  )
}

test('systemd takes the unit', { skip: missing('systemd-analyze') }, (t) => {
  const elsewhere = temporary()
  t.after(() => rmSync(elsewhere, { recursive: true }))
  const unit = read('millrace.service')
  assert.match(unit, /^ExecStart=\/usr\/local\/bin\/millrace$/m)
  const path = join(elsewhere, 'millrace.service')
  // A program that is not installed is an error to it.
  writeFileSync(path, unit.replace('/usr/local/bin/millrace', `${process.execPath} ${join(root, 'dist/src/cli.js')}`))
  const said = execFileSync('systemd-analyze', ['verify', path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  assert.equal(said, '')
  writeFileSync(path, `${unit}\n[Service]\nType=nonsense\nExecStart=relative\n`)
  assert.throws(() => execFileSync('systemd-analyze', ['verify', path], { stdio: 'ignore' }), 'it takes anything')
})

test('the variables of all files are options of the command', () => {
  const manifests = [...read('kubernetes.yaml').matchAll(/name: (MILLRACE_\w+), value: '?([^' }]+)/g)]
  const environments = [
    variablesIn(read('millrace.env')),
    variablesIn(read('Dockerfile').replaceAll(/^#.*$|^ARG.*$|^RUN.*$/gm, '')),
    Object.fromEntries(manifests.map(([, name = '', value = '']) => [name, value])),
  ]
  for (const environment of environments) {
    assert.ok(Object.keys(environment).length >= 4)
    for (const [name, value] of Object.entries(environment))
      assert.notDeepEqual(
        parseArguments([], { [name]: value === '9001' ? '9002' : value }),
        parseArguments([]),
        `${name} says nothing`,
      )
    assert.equal(parseArguments([], environment).name, 'serve')
  }
})

describe('Kubernetes', () => {
  const manifests: { apiVersion: string; kind: string }[] = parseAllDocuments(read('kubernetes.yaml')).map((document) =>
    document.toJS(),
  )

  for (const manifest of manifests) {
    test(`its schema takes the ${manifest.kind}`, async () => {
      const module = await import(`kubernetes-models/${manifest.apiVersion}/${manifest.kind}`)
      const Model: new (data: object) => { validate(): void } = module[manifest.kind]
      new Model(manifest).validate()
      assert.throws(() => new Model({ ...manifest, spec: 'none' }).validate(), 'it takes anything')
    })
  }

  test('the pods run without rights, end in time, and are not told a port by Kubernetes', () => {
    const [deployment] = manifests
    const { spec } = Object(deployment).spec.template
    const [container] = spec.containers
    assert.equal(spec.securityContext.runAsNonRoot, true)
    assert.equal(spec.enableServiceLinks, false)
    assert.deepEqual(container.securityContext.capabilities.drop, ['ALL'])
    assert.equal(container.securityContext.readOnlyRootFilesystem, true)
    const environment = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    )
    const command = parseArguments([], environment)
    assert.ok(command.name === 'serve')
    const { drainNotice = 0 } = command.stop ?? {}
    const { drainOver = 0, drainAfter = 0 } = command.listen
    assert.ok(spec.terminationGracePeriodSeconds * 1000 > drainNotice + drainAfter + drainOver + 10_000)
  })
})

test('the steps of the Dockerfile make a target that another user than root runs', {
  skip: missing('npm'),
}, async (t) => {
  const dockerfile = read('Dockerfile')
  const [, packages = ''] = /^RUN npm install .*--ignore-scripts (.*?) &&/m.exec(dockerfile) ?? []
  assert.match(packages, /^\$\{MILLRACE\} pino$/)
  assert.match(dockerfile, /^USER node$/m)
  const [, entry = ''] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? []
  const [program, ...args]: string[] = JSON.parse(entry)
  assert.equal(program, 'node')

  const installed = await install()
  t.after(() => installed.remove())
  const app = temporary()
  t.after(() => rmSync(app, { recursive: true }))
  cpSync(installed.project, app, { recursive: true })
  copyDependencies({ version: '', dependencies: { pino: '' } }, app)
  chmodSync(app, 0o755)
  // Node.js itself may lie where only its owner gets.
  const node = join(app, 'node')
  cpSync(process.execPath, node)
  chmodSync(node, 0o755)
  const child = spawn(
    node,
    args.map((arg) => arg.replace(/^\/app\//, `${app}/`)),
    {
      cwd: '/',
      env: { ...variablesIn(dockerfile.replaceAll(/^ARG.*$/gm, '')), MILLRACE_PORT: '0', MILLRACE_HOST: '127.0.0.1' },
      stdio: ['ignore', 'pipe', 'inherit'],
      ...other,
    },
  )
  t.after(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  const { event, url, http } = JSON.parse(line)
  assert.equal(event, 'start')
  assert.equal((await fetch(`${http}/healthz`)).status, 200)
  const client = await WsClient.open(url)
  client.socket.send('from a container')
  assert.equal(await client.messages.next(), 'from a container')
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  assert.equal((await client.ended).code, 1012)
  assert.deepEqual(await ended, [0, null])
})
