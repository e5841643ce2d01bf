// GraphQL over WebSockets: the handlers of a route of millrace for graphql-ws, whose core takes any socket. A client that does
// not read what a subscription sends holds the subscription back. Needs `npm install graphql graphql-ws`.
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, makeServer, type ServerOptions } from 'graphql-ws'
import type { Connection, Handlers } from 'millrace'

/** What the functions of the GraphQL server get as `context.extra`; `connection.request` is the request. */
export interface Extra {
  readonly connection: Connection<Session | undefined>
}

/** One client, as `connection.data`. */
export interface Session {
  receive(text: string): Promise<void>
  closed(code: number, reason: string): Promise<void>
  /** Those who wait until the client has read what it was sent. */
  readonly waiting: (() => void)[]
}

/** The options of a route. */
export type GraphQLRoute = Handlers<Session | undefined> & { readonly protocols: readonly string[] }

/** Makes the options of a route, `route(useServer({ schema }))`, from the options of a GraphQL server. */
export function useServer(options: ServerOptions<Record<string, unknown> | undefined, Extra>): GraphQLRoute {
  const graphql = makeServer(options)
  return {
    protocols: [GRAPHQL_TRANSPORT_WS_PROTOCOL],

    open(connection) {
      const waiting: (() => void)[] = []
      let receive: Session['receive'] = async () => undefined
      const closed = graphql.opened(
        {
          protocol: connection.protocol,
          send(text) {
            if (connection.send(text) === 'buffered') return new Promise((resolve) => waiting.push(resolve))
          },
          close: (code, reason) => connection.close(code, reason),
          onMessage(callback) {
            receive = callback
          },
        },
        { connection },
      )
      connection.data = { receive, closed, waiting }
    },

    message(connection, message) {
      // The promise of a subscription settles when it has ended: as a pending handler it would hold back what comes next.
      connection.data?.receive(message.text()).catch((error) => {
        console.error(error)
        connection.close(CloseCode.InternalServerError, 'Internal server error')
      })
    },

    drain: ({ data }) => resume(data),

    close(connection, code, reason) {
      resume(connection.data)
      return connection.data?.closed(code, reason)
    },
  }
}

function resume(session: Session | undefined): void {
  for (const resolve of session?.waiting.splice(0) ?? []) resolve()
}
