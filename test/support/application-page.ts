// An application's own page on another origin, which opens Link with link-initialize.js; and the page to which Hosted
// Link returns. Closes with `stop`.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const page = (simulator: string): string => `<!doctype html>
<html lang="en">
  <head>
    <title>Application</title>
    <script src="${simulator}/link/v2/stable/link-initialize.js"></script>
    <script src="/app.js" defer></script>
  </head>
  <body><h1>Application</h1></body>
</html>`

// Keeps every call back. `start` and `leave` are for the test.
const script = `
  const calls = []
  const record = (name) => (...values) => void calls.push([name, ...values])
  let handler
  window.calls = calls
  window.start = (token, more = {}) => {
    sessionStorage.setItem('token', token)
    handler = Plaid.create({
      token,
      onSuccess: record('onSuccess'),
      onExit: record('onExit'),
      onEvent: record('onEvent'),
      onLoad: () => { record('onLoad')(); handler.open() },
      ...more,
    })
    window.handler = handler
  }
  if (location.search.includes('oauth_state_id=')) {
    start(sessionStorage.getItem('token'), { receivedRedirectUri: location.href })
  }`

export interface ApplicationPage {
  readonly url: string
  /** Where the page loads link-initialize.js from, and what it may frame. */
  useSimulator(url: string): void
  stop(): Promise<void>
}

/** The strictest policy with which Link can be opened: no inline style, and one foreign origin. */
const policy = (simulator: string): string =>
  `default-src 'none'; script-src 'self' ${simulator}; frame-src ${simulator}; style-src 'self'; img-src 'self'`

export async function startApplicationPage(): Promise<ApplicationPage> {
  let simulator = ''
  const server = createServer((request, response) => {
    const isScript = request.url === '/app.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
    response.setHeader('content-security-policy', policy(simulator))
    response.statusCode = request.url === '/favicon.ico' ? 204 : 200
    response.end(isScript ? script : page(simulator))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    useSimulator(url) {
      simulator = url
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
