// Neon's WebSocket protocol: PostgreSQL's bytes in binary messages. Always connects to the one local server and ignores
// the address that the client requests.
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Server } from './pools.ts'

const paths = new Set(['/v1', '/v2'])
const bufferedBytes = 4 * 1024 * 1024
const closeGraceMs = 100

export interface Bridge {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  end(): void
}

function join(webSocket: WebSocket, server: Server): void {
  const socket = connect({ ...server, noDelay: true })
  socket.on('data', (bytes) => {
    if (webSocket.readyState !== webSocket.OPEN) return
    webSocket.send(bytes, () => socket.resume())
    if (webSocket.bufferedAmount > bufferedBytes) socket.pause()
  })
  socket.on('close', () => webSocket.close())
  // A failure of either side closes both; the client sees the close.
  socket.on('error', () => socket.destroy())
  webSocket.on('message', (bytes: Buffer) => {
    if (socket.write(bytes)) return
    webSocket.pause()
    socket.once('drain', () => webSocket.resume())
  })
  webSocket.on('close', () => {
    socket.end()
    setTimeout(() => socket.destroy(), closeGraceMs).unref()
  })
  webSocket.on('error', () => socket.destroy())
}

export function createBridge(server: Server): Bridge {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 128 * 1024 * 1024 })
  return {
    upgrade(request, socket, head) {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost')
      if (!paths.has(pathname)) {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
        return
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => join(webSocket, server))
    },
    end() {
      for (const webSocket of sockets.clients) webSocket.terminate()
      sockets.close()
    },
  }
}
