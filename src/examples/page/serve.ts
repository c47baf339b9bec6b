// Serves the page, and gives its user a token: the API key stays here.
import { build } from 'esbuild'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createClient } from '@wealthnavigator/client'

const { WN_API_URL: api = 'http://127.0.0.1:8787', WN_API_KEY: apiKey = '', WN_USER: user = 'user-1' } = process.env
const { PORT = '3000', PLAID_SIMULATOR_URL: simulator } = process.env
const client = createClient({ baseUrl: api, apiKey })

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const { outputFiles } = await build({
  entryPoints: [pathOf('page.tsx')],
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  minify: true,
  write: false,
  define: { 'process.env.NODE_ENV': '"development"' },
})

/** The hook loads Plaid's script where the page has none. */
const linkScript = simulator ? `<script src="${simulator}/link/v2/stable/link-initialize.js"></script>` : ''
/** What Plaid's script needs: https://plaid.com/docs/link/web/#csp-directives. The simulator's needs less. */
const linkPolicy = simulator
  ? { script: simulator, frame: simulator, connect: '', style: '' }
  : {
      script: "'unsafe-inline' https://cdn.plaid.com/link/v2/stable/link-initialize.js",
      frame: 'https://cdn.plaid.com/',
      connect: 'https://production.plaid.com/ https://sandbox.plaid.com/',
      style: "'unsafe-inline'",
    }
const policy = [
  "default-src 'self'",
  'img-src data:',
  `script-src 'self' ${linkPolicy.script}`,
  `style-src 'self' ${linkPolicy.style}`,
  `frame-src ${linkPolicy.frame}`,
  `connect-src 'self' ${api} ${linkPolicy.connect}`,
  "frame-ancestors 'none'",
].join('; ')

const html = (await readFile(pathOf('index.html'), 'utf8')).replace('<!-- link -->', linkScript)
const files: Record<string, readonly [string, string | Uint8Array]> = {
  '/': ['text/html', html],
  '/page.css': ['text/css', await readFile(pathOf('page.css'))],
  '/page.js': ['text/javascript', outputFiles[0]?.contents ?? ''],
  '/config.json': ['application/json', JSON.stringify({ api })],
}

const server = createServer((request, response) => {
  const file = files[request.url ?? '']
  if (request.method === 'POST' && request.url === '/token') {
    // Here your application checks who is signed in.
    client
      .forUser(user)
      .post('/api/v1/tokens', { body: {} })
      .then((token) => response.writeHead(200, { 'cache-control': 'no-store' }).end(JSON.stringify(token)))
      .catch(() => response.writeHead(502).end())
  } else if (file === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': file[0], 'content-security-policy': policy }).end(file[1])
})
server.listen(Number(PORT), '127.0.0.1', () =>
  process.stdout.write(`listening on ${JSON.stringify(server.address())}\n`),
)
