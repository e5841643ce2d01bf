// Which side of a connection this is. A client masks what it sends, a server must not (RFC 6455, section 5.1).

export type Role = 'server' | 'client'
