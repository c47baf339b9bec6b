// `npm run recheck`: checks every item that needs a relink at Plaid. For use after a wrong key or Plaid environment was
// fixed.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { runCommand } from '../dev/lib/run-command.ts'
import { adminApi, type Call } from './lib/admin-api.ts'

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

/** Reads all pages first, because a recheck removes an item from the list. */
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

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { url: { type: 'string' }, item: { type: 'string' } } })
  const call = adminApi(values.url, process.env)
  const ids = values.item === undefined ? await lostItems(call) : [values.item]
  process.stdout.write(`${ids.length} items to ask Plaid for\n`)
  const failed = await recheckAll(call, ids)
  if (failed > 0) throw new Error(`${failed} items could not be rechecked. Nothing was changed for them; run it again.`)
}

if (import.meta.main) await runCommand(help, main)
