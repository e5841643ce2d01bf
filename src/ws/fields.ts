// The names of what a WebSocket keeps. They are symbols, and no private fields of the class, because programs wrap a WebSocket, as
// crossws does: a Proxy of it, or an object whose prototype it is, has its methods called on the wrapper.

export const BINARY_TYPE: unique symbol = Symbol('binaryType')
export const OPENING: unique symbol = Symbol('opening')
export const PAUSED: unique symbol = Symbol('paused')
export const PEER: unique symbol = Symbol('peer')
export const PROTOCOL: unique symbol = Symbol('protocol')
export const SENDER: unique symbol = Symbol('sender')
export const SETTINGS: unique symbol = Symbol('settings')
export const UNSENT: unique symbol = Symbol('unsent')
