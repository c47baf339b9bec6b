// The package as it would be published: its types compile in an application, and it needs no globals of a browser or Node.
import { build } from 'esbuild'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage, maxGzipBytes, sizeOf } from '../../../src/cli/client/build.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { problem, startScriptedApi } from '../../support/scripted-api.ts'

const run = promisify(execFile)
let folder: string
const modules = (): string => join(folder, 'node_modules')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-package-'))
  await mkdir(join(modules(), '@wealthnavigator'), { recursive: true })
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers'])
    await symlink(join(projectFolder, 'node_modules', name), join(modules(), name))
  await buildPackage('client', join(modules(), '@wealthnavigator'))
}, 120_000)
afterAll(async () => await rm(folder, { recursive: true, force: true }))

const start = `import { createClient, type Transaction, verify, type WebhookEvent } from '@wealthnavigator/client'
const client = createClient({ baseUrl: 'https://api.example.com', getToken: () => 'token' })
declare const event: WebhookEvent
`
const good = `
const amounts: string[] = []
for await (const row of client.rows('/api/v1/transactions', { params: { query: { q: 'x' } } })) {
  const transaction: Transaction = row
  amounts.push(transaction.amount)
}
const item = await client.get('/api/v1/plaid/items/{id}', { params: { path: { id: 'x' } } })
const status: 'healthy' | string = item.status
const nothing: undefined = await client.delete('/api/v1/plaid/items/{id}', { params: { path: { id: 'x' } } })
const verified = verify({ secret: 'whsec_', headers: new Headers(), body: '' })
/** Every type is handled: in \`default\`, nothing is left. */
async function handle(): Promise<string | null> {
  const event = await verified
  switch (event.type) {
    case 'transactions.changed':
      return event.data.item ?? String(event.data.next_since + event.data.removed)
    case 'item.status_changed':
      return event.data.action_required ?? event.data.deadline ?? event.data.to
    case 'sync.failed':
      return event.data.error_code ?? event.data.product
    case 'accounts.changed':
    case 'holdings.changed':
    case 'investment_transactions.changed':
    case 'liabilities.changed':
    case 'recurring.changed':
    case 'item.linked':
    case 'item.new_accounts':
    case 'item.removed':
      return event.data.item
    case 'user.erased':
      return event.data.subject ?? event.data.user
    case 'endpoint.verification':
      return event.data.challenge
    case 'ping':
      return event.timestamp
    default: {
      const other: never = event
      return other
    }
  }
}
export { amounts, status, nothing, handle }
`
const wrong = [
  ['an unknown path', "client.get('/api/v1/unknown')"],
  ['a method that the path lacks', "client.delete('/api/v1/accounts')"],
  ['a missing parameter', "client.get('/api/v1/plaid/items/{id}')"],
  ['an unknown parameter', "client.get('/api/v1/transactions', { params: { query: { serach: 'x' } } })"],
  ['a missing body', "client.post('/api/v1/plaid/item/public_token/exchange')"],
  [
    'an unknown member of a body',
    "client.patch('/api/v1/transactions/{id}', { params: { path: { id: 'x' } }, body: { nota: 'x' } })",
  ],
  ['a body of a read', "client.get('/api/v1/accounts', { body: {} })"],
  ['a number for a decimal', "client.get('/api/v1/transactions', { params: { query: { min_amount: 0.1 } } })"],
  ['an unknown member of a row', "client.get('/api/v1/accounts').then(({ data }) => data[0]?.iban)"],
  ['rows of a route that is no list', "client.rows('/api/v1/insights/net-worth')"],
  ['a type of event that does not exist', "(event.type === 'transactions.removed')"],
  ['a member of another event', "(event.type === 'item.linked' && event.data.next_since)"],
  ['a member of an event before its type is known', 'event.data.item'],
  [
    'an event of which a type is not handled',
    "(event.type === 'ping' ? null : (event satisfies { type: 'item.linked' }))",
  ],
  ['a key and a token', "createClient({ baseUrl: 'x', apiKey: 'k', getToken: () => 't' })"],
] as const

/** What the compiler says about applications that use the package, by their files. */
async function compile(apps: Readonly<Record<string, string>>): Promise<string> {
  await Promise.all(Object.entries(apps).map(async ([name, text]) => await writeFile(join(folder, name), text)))
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(apps) }))
  const tsc = join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc')
  return await run(process.execPath, [tsc, '-p', folder], { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? '',
  )
}

describe('the types of the package', { timeout: 120_000 }, () => {
  it('accept right calls of a strict application, and refuse wrong ones', async () => {
    const files = wrong.map(([, call], index) => [`wrong-${index}.mts`, `${start}void ${call}\n`])
    const said = await compile({ 'good.mts': start + good, ...Object.fromEntries(files) })
    const accepted = wrong.filter((_, index) => !said.includes(`wrong-${index}.mts(`)).map(([what]) => what)
    expect(accepted).toEqual([])
    expect(said.split('\n').filter((line) => line !== '' && !/^(?:wrong-| )/.test(line))).toEqual([])
  })
})

describe('the code of the package', () => {
  it('is as small as it should be', async () => {
    expect(await sizeOf(folder)).toBeLessThan(maxGzipBytes)
  })

  it('has one dependency', async () => {
    const manifest: unknown = JSON.parse(
      await readFile(join(modules(), '@wealthnavigator', 'client', 'package.json'), 'utf8'),
    )
    expect(manifest).toMatchObject({ private: true, dependencies: { 'openapi-fetch': '0.17.0' } })
    expect(manifest).not.toHaveProperty('devDependencies')
  })

  it('runs where only fetch, abort signals and timers exist', async () => {
    const outfile = join(folder, 'all.js')
    const entryPoints = [join(modules(), '@wealthnavigator', 'client', 'index.js')]
    await build({ entryPoints, outfile, bundle: true, format: 'iife', globalName: 'wn', target: 'es2020' })
    const api = await startScriptedApi(({ path, headers }) => {
      if (headers.authorization !== 'Bearer b') return problem(401, 'unauthorized')
      if (path.startsWith('/api/v1/accounts'))
        return {
          body: {
            data: [{ name: path.includes('cursor') ? 'two' : 'one' }],
            next_cursor: path.includes('cursor') ? null : 'c',
          },
        }
      return problem(409, 'conflict')
    })
    // The constructor of React Native's AbortController takes no reason, and its signals have none.
    class AbortControllerWithoutReason {
      readonly #inner = new AbortController()
      readonly signal = this.#inner.signal
      abort(): void {
        this.#inner.abort()
      }
    }
    const globals = { fetch, Request, Response, Headers, FormData, setTimeout, clearTimeout, api: api.url }
    const context = createContext({ ...globals, AbortController: AbortControllerWithoutReason })
    runInContext(await readFile(outfile, 'utf8'), context)
    const result: unknown = await runInContext(
      `(async () => {
        const client = wn.createClient({ baseUrl: api, getToken: ({ refused }) => (refused ? 'b' : 'a') })
        const names = []
        for await (const { name } of client.rows('/api/v1/accounts')) names.push(name)
        const code = await client.post('/api/v1/plaid/sync/all').catch((error) => error.code)
        const leaving = new AbortController()
        leaving.abort()
        const left = await client.get('/api/v1/accounts', { signal: leaving.signal }).catch((error) => error.name)
        return [names.join(), code, left, typeof process, typeof window, typeof crypto, typeof Buffer, typeof URL].join(' ')
      })()`,
      context,
    ).finally(() => api.stop())
    expect(result).toBe('one,two conflict AbortError undefined undefined undefined undefined undefined')
  })
})
