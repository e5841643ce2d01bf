// Firefox for the tests, by WebDriver BiDi, where a machine has it.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'

const executable = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr'

/** Why tests with Firefox can't run here; false if they can. In CI they always run, and fail without it. */
export function firefoxMissing(): string | false {
  if (process.env['CI'] === 'true' || existsSync(executable)) return false
  return `there is no Firefox at ${executable}: set FIREFOX to where it is`
}

interface Answer {
  readonly id?: number
  readonly type?: string
  readonly message?: string
  readonly result?: Record<string, unknown>
}

export class Firefox {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #sent = 0
  #context = ''

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process
    this.#profile = profile
    this.#socket = socket
    socket.on('message', (data) => {
      const answer: Answer = JSON.parse(String(data))
      if (answer.id === undefined) return
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  static async launch(): Promise<Firefox> {
    const profile = mkdtempSync(join(tmpdir(), 'millrace-firefox-'))
    writeFileSync(join(profile, 'user.js'), 'user_pref("network.http.http2.websockets", true);\n')
    const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank']
    const process = spawn(executable, args, { stdio: ['ignore', 'ignore', 'pipe'], env: withHome(profile) })
    const address = await new Promise<string>((resolve, reject) => {
      let words = ''
      process.stderr?.on('data', (chunk) => {
        words += String(chunk)
        const [, found] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(words) ?? []
        if (found !== undefined) resolve(found)
      })
      process.once('error', reject)
      process.once('exit', () => reject(new Error(`Firefox has ended: ${words}`)))
    })
    const socket = new WebSocket(`${address}/session`)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const firefox = new Firefox(process, profile, socket)
    await firefox.#call('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } })
    const tree = await firefox.#call('browsingContext.getTree', {})
    const [first] = tree['contexts'] as readonly { readonly context: string }[]
    firefox.#context = first?.context ?? ''
    return firefox
  }

  async open(url: string): Promise<void> {
    await this.#call('browsingContext.navigate', { context: this.#context, url, wait: 'complete' })
  }

  /** What an expression, or its promise, comes to in the page: a string. */
  async evaluate(expression: string): Promise<string> {
    const target = { context: this.#context }
    const answer = await this.#call('script.evaluate', { expression, target, awaitPromise: true })
    const result = answer['result'] as { readonly value?: unknown } | undefined
    if (answer['type'] !== 'success') throw new Error(JSON.stringify(answer))
    return String(result?.value)
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#socket.terminate()
    this.#process.kill()
    await ended
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }

  async #call(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.#sent
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    this.#socket.send(JSON.stringify({ id, method, params }))
    const answer = await answered
    if (answer.type === 'error') throw new Error(`${method}: ${answer.message}`)
    return answer.result ?? {}
  }
}

/** Firefox wants a home that it may write to. */
function withHome(home: string): NodeJS.ProcessEnv {
  return { ...process.env, HOME: home, MOZ_HEADLESS: '1' }
}
