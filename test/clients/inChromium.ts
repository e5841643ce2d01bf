// A client that runs in Chromium. What it sends is made here and what it gets back is checked here, so that no byte is
// judged by the code that carried it.
import { Buffer } from 'node:buffer'
import type { Page } from 'playwright-core'
import type { Payload } from './payloads.js'

/** What the browser's client went through. */
export interface Visit {
  readonly received: readonly Payload[]
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
  readonly extensions: string
}

interface VisitOptions {
  readonly url: string
  /** Sent in one go when the connection is open. */
  readonly send?: readonly Payload[]
  /** What to close with when everything has come back; without it, the client waits for the server. */
  readonly close?: { readonly code?: number; readonly reason?: string }
}

interface Carried {
  readonly text?: string
  readonly base64?: string
}

/** Plain JavaScript: it is compiled by the browser. */
const visitor = `async ({ url, send, close }) => {
  const toBase64 = (bytes) => {
    let text = ''
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
    return btoa(text)
  }
  const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  const messages = send.map(({ text, base64 }) => text ?? fromBase64(base64))
  const received = []
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  const leave = () => close && received.length === messages.length && socket.close(close.code, close.reason)
  return new Promise((resolve) => {
    socket.onopen = () => {
      for (const message of messages) socket.send(message)
      leave()
    }
    socket.onmessage = ({ data }) => {
      received.push(typeof data === 'string' ? { text: data } : { base64: toBase64(new Uint8Array(data)) })
      leave()
    }
    socket.onclose = ({ code, reason, wasClean }) => {
      resolve({ received, code, reason, wasClean, extensions: socket.extensions })
    }
  })
}`

/** Opens a WebSocket in the page, sends, waits for as many answers, and for the end. */
export async function visit(page: Page, { url, send = [], close }: VisitOptions): Promise<Visit> {
  const carried = send.map((payload): Carried => (typeof payload === 'string' ? { text: payload } : wrap(payload)))
  const call = `(${visitor})(${JSON.stringify({ url, send: carried, close })})`
  const { received, ...rest } = await page.evaluate<Omit<Visit, 'received'> & { received: Carried[] }>(call)
  return { ...rest, received: received.map(({ text, base64 }) => text ?? Buffer.from(base64 ?? '', 'base64')) }
}

function wrap(payload: Buffer): Carried {
  return { base64: payload.toString('base64') }
}
