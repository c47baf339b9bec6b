// `npm run api-key`: creates, lists and revokes the API keys of applications, by the routes for administrators.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { adminApi, type Call } from './lib/admin-api.ts'

const help = `npm run api-key -- create --name NAME [--scopes read,write,link] [--application NAME] [--issuer URL] [--days N] [--url URL]
npm run api-key -- list [--url URL]
npm run api-key -- revoke ID [--url URL]

create makes a key of an application, and the application if there is none of that name, and prints the key alone.
list prints the keys of everyone, without their texts. revoke ends a key, and the tokens that it issued, immediately.
docs/api-keys.md describes keys.
ADMIN_TOKEN is an administrator's access token (locally: npm run token -- --sub operator --role admin).
  --name NAME         a name, by which people recognize the key
  --scopes SCOPES     read, write, link, webhooks, admin:read, admin:write and admin:metrics, separated by commas (read,write,link)
  --application NAME  the application of the key (local)
  --issuer URL        the issuer of the users of a new application; without it, a separate one
  --days N            the life of the key (no end)
  --url URL           the Worker (http://127.0.0.1:8787, or PORT's)`

const applicationsPath = '/api/v1/admin/applications'
const keysPath = '/api/v1/admin/api-keys'

const applicationSchema = z.object({ id: z.string(), name: z.string(), issuer: z.string() })
type Application = z.output<typeof applicationSchema>
const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  application_id: z.string().nullable(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
})
const createdSchema = keySchema.extend({ key: z.string() })

/** Every row of a list. */
async function all<Row>(call: Call, path: string, row: z.ZodType<Row>): Promise<Row[]> {
  const pageSchema = z.object({ data: z.array(row), next_cursor: z.string().nullable() })
  const rows: Row[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: z.output<typeof pageSchema> = pageSchema.parse(
      await call('GET', `${path}?limit=500&cursor=${encodeURIComponent(cursor)}`),
    )
    rows.push(...page.data)
    cursor = page.next_cursor
  }
  return rows
}

async function applicationNamed(call: Call, name: string, issuer: string | undefined): Promise<Application> {
  const found = (await all(call, applicationsPath, applicationSchema)).find((one) => one.name === name)
  if (found === undefined)
    return applicationSchema.parse(
      await call('POST', applicationsPath, { name, ...(issuer === undefined ? {} : { issuer }) }),
    )
  if (issuer !== undefined && issuer !== found.issuer)
    throw new Error(`The application ${name} has another issuer, ${found.issuer}, which cannot change.`)
  return found
}

interface Wish {
  readonly name: string | undefined
  readonly scopes: string | undefined
  readonly application: string | undefined
  readonly issuer: string | undefined
  readonly days: string | undefined
}

async function create(call: Call, { name, scopes, application, issuer, days }: Wish): Promise<void> {
  if (!name) throw misuse('--name NAME is missing.')
  const { id } = await applicationNamed(call, application ?? 'local', issuer)
  const body = {
    application_id: id,
    name,
    scopes: (scopes ?? 'read,write,link').split(','),
    ...(days === undefined ? {} : { expires_in_days: Number(days) }),
  }
  process.stdout.write(`${createdSchema.parse(await call('POST', keysPath, body)).key}\n`)
}

async function list(call: Call): Promise<void> {
  for (const key of await all(call, keysPath, keySchema)) {
    const state = key.revoked_at === null ? `expires ${key.expires_at ?? 'never'}` : `revoked ${key.revoked_at}`
    const owner = key.application_id === null ? 'of a user' : `of the application ${key.application_id}`
    const used = `last used ${key.last_used_at ?? 'never'}`
    process.stdout.write(`${key.id} ${key.prefix}… ${key.name} (${key.scopes.join(' ')}) ${owner}, ${used}, ${state}\n`)
  }
}

async function main(args: string[]): Promise<void> {
  const text = { type: 'string' } as const
  const options = { url: text, name: text, scopes: text, application: text, issuer: text, days: text }
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const [action, id, ...others] = positionals
  const call = (): Call => adminApi(values.url, process.env)
  if (others.length > 0 || (action !== 'revoke' && id !== undefined)) throw misuse('There are too many arguments.')
  if (action === 'create') await create(call(), { ...noWish, ...values })
  else if (action === 'list') await list(call())
  else if (action === 'revoke' && id !== undefined) {
    await call()('DELETE', `${keysPath}/${encodeURIComponent(id)}`)
    process.stdout.write('The key is revoked.\n')
  } else throw misuse('Name one of create, list and revoke ID.')
}

const noWish: Wish = { name: undefined, scopes: undefined, application: undefined, issuer: undefined, days: undefined }

if (import.meta.main) await runCommand(help, main)
