// The files of the pages, and the stand-in for Plaid's link-initialize.js.
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { assetsPath } from './layout.ts'

const file = (name: string): string => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8')

const script = 'text/javascript; charset=utf-8'

export function assets(): Hono {
  const app = new Hono()
  const serve = (path: string, name: string, type: string): void => {
    const text = file(name)
    app.get(path, () => new Response(text, { headers: { 'content-type': type, 'x-content-type-options': 'nosniff' } }))
  }
  serve(`${assetsPath}/colors.css`, 'colors.css', 'text/css; charset=utf-8')
  serve(`${assetsPath}/style.css`, 'style.css', 'text/css; charset=utf-8')
  serve(`${assetsPath}/embed.js`, 'embed.js', script)
  serve('/link/v2/stable/link-initialize.js', 'link-initialize.js', script)
  return app
}
