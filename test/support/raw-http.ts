// Sends a request byte by byte as the test wrote it, which no HTTP client would send. Reads the first response and
// closes the connection.
import { connect } from 'node:net'

export interface WireResponse {
  /** 0 when the server closed the connection without a response. */
  readonly status: number
  /** The headers and the body as received. */
  readonly text: string
}

const waitMs = 5000

/** @param lines the request line and the headers, without `Connection`; @param body after the empty line */
export function sendLines(url: string, lines: readonly string[], body = ''): Promise<WireResponse> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () =>
      socket.write(Buffer.from(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`, 'latin1')),
    )
    const end = () => {
      socket.destroy()
      const text = Buffer.concat(chunks).toString('utf8')
      resolve({ status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0), text })
    }
    socket.setTimeout(waitMs, end)
    socket.on('data', (chunk) => void chunks.push(chunk))
    // A server may close the connection on a request that it cannot parse.
    socket.on('error', end)
    socket.on('end', end)
  })
}
