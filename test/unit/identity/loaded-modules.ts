// Run by Node: sends requests to the app of the mode that the argument names, and prints the statuses and the files of
// src/ that were loaded for them.
import { registerHooks } from 'node:module'

const loaded: string[] = []
registerHooks({
  load(url, context, nextLoad) {
    if (url.includes('/src/')) loaded.push(url.slice(url.lastIndexOf('/src/') + 1))
    return nextLoad(url, context)
  },
})

const { developmentVariables, serveApp, servicesOf } = await import('../http/serve-app.ts')
const oidc = {
  AUTH_ISSUER: 'http://127.0.0.1:9/',
  AUTH_AUDIENCE: 'wealth',
  AUTH_JWKS_URL: 'http://127.0.0.1:9/jwks',
}
const services = servicesOf({ ...developmentVariables, ...(process.argv[2] === 'oidc' ? oidc : {}) })
const served = serveApp(() => services)
const statuses: Record<string, number> = {}
const body = JSON.stringify({ email: 'ann@example.com', password: 'a long enough password' })
const headers = { 'content-type': 'application/json' }
for (const path of ['login', 'register', 'refresh', 'sessions', 'totp/enroll', 'nothing'])
  for (const method of ['POST', 'GET']) {
    const response = await served.ask(
      `/api/v1/auth/${path}`,
      method === 'POST' ? { method, body, headers } : { method },
    )
    statuses[`${method} ${path}`] = response.status
  }
process.stdout.write(JSON.stringify({ loaded, statuses }))
