// `npm run recheck`: has the Worker ask Plaid again for every item that needs a relink. For after a slip with Plaid's keys or
// environment, once it is mended. Speaks HTTP to the admin routes and holds no secret but the administrator's token.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { misuse, runCommand } from '../dev/lib/run-command.ts'

const help = `npm run recheck -- [--url URL] [--item ID]

Asks Plaid again for every item that needs a relink, and takes those back into service that Plaid still knows.
ADMIN_TOKEN is an administrator's access token (locally: npm run token -- --sub operator --role admin).
  --url URL  the Worker (http://127.0.0.1:8787, or PORT's)
  --item ID  this item alone`

const pageSchema = z.object({
  data: z.array(z.object({ id: z.string() })),
  next_cursor: z.string().nullable(),
})
const recheckedSchema = z.object({ known: z.boolean() })
const problemSchema = z.object({ code: z.string() })

/** More pauses than this for one request, and the Worker's limits are not what stands in the way. */
const mostPauses = 100

type Call = (method: string, path: string) => Promise<unknown>

/** Calls the Worker; waits where its rate limit asks for it. */
function callerOf(url: string, token: string): Call {
  return async (method, path) => {
    for (let pauses = 0; ; pauses += 1) {
      const response = await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}` } })
      if (response.status === 429 && pauses < mostPauses) {
        const seconds = Number(response.headers.get('retry-after') ?? '5')
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
        continue
      }
      const body: unknown = await response.json().catch(() => null)
      if (response.ok) return body
      const { data } = problemSchema.safeParse(body)
      throw new Error(`${method} ${path} answered ${response.status}${data === undefined ? '' : ` ${data.code}`}.`)
    }
  }
}

/** All of them before the first is rechecked: a recheck takes an item off the list. */
async function lostItems(call: Call): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = pageSchema.parse(await call('GET', `/api/v1/admin/items?status=relink_required&limit=100${from}`))
    ids.push(...page.data.map(({ id }) => id))
    cursor = page.next_cursor
  } while (cursor !== null)
  return ids
}

async function recheckAll(call: Call, ids: readonly string[]): Promise<number> {
  let failed = 0
  for (const id of ids)
    try {
      const { known } = recheckedSchema.parse(
        await call('POST', `/api/v1/admin/items/${encodeURIComponent(id)}/recheck`),
      )
      process.stdout.write(`${id} ${known ? 'is back in service' : 'is not known to Plaid'}\n`)
    } catch (error) {
      failed += 1
      process.stdout.write(`${id} failed: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  return failed
}

function baseUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw misuse(`--url ${text} is no http(s) URL.`)
  return url.origin
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { url: { type: 'string' }, item: { type: 'string' } } })
  const url = baseUrl(values.url ?? `http://127.0.0.1:${process.env['PORT'] || '8787'}`)
  const token = process.env['ADMIN_TOKEN']
  if (!token) throw misuse("ADMIN_TOKEN is not set: give it an administrator's access token.")
  const call = callerOf(url, token)
  const ids = values.item === undefined ? await lostItems(call) : [values.item]
  process.stdout.write(`${ids.length} items to ask Plaid for\n`)
  const failed = await recheckAll(call, ids)
  if (failed > 0) throw new Error(`${failed} items could not be rechecked. Nothing was changed for them; run it again.`)
}

if (import.meta.main) await runCommand(help, main)
