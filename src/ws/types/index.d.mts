// The types of `millrace/ws`, for whoever imports it.
import WebSocket from './index.cjs'

export import AddressInfo = WebSocket.AddressInfo
export import CertMeta = WebSocket.CertMeta
export import ClientOptions = WebSocket.ClientOptions
export import CloseEvent = WebSocket.CloseEvent
export import createWebSocketStream = WebSocket.createWebSocketStream
export import Data = WebSocket.Data
export import ErrorEvent = WebSocket.ErrorEvent
export import Event = WebSocket.Event
export import EventListenerOptions = WebSocket.EventListenerOptions
export import FinishRequestCallback = WebSocket.FinishRequestCallback
export import MessageEvent = WebSocket.MessageEvent
export import PerMessageDeflateOptions = WebSocket.PerMessageDeflateOptions
export import RawData = WebSocket.RawData
import Server = WebSocket.Server
export import ServerOptions = WebSocket.ServerOptions
export import VerifyClientCallbackAsync = WebSocket.VerifyClientCallbackAsync
export import VerifyClientCallbackSync = WebSocket.VerifyClientCallbackSync
export import WebSocketServer = WebSocket.WebSocketServer

export { type Server, WebSocket, WebSocket as default }
