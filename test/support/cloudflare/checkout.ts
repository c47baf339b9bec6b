// A checkout of the project as an operator has it: the source, with another wrangler.toml and other secrets. Commands that
// run there take its files and nothing else of this one.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const run = promisify(execFile)
const copied = [
  'src',
  'drizzle',
  'docs',
  'migrations',
  'package.json',
  'package-lock.json',
  'wrangler.toml',
  'tsconfig.json',
  '.gitignore',
] as const
/** Their own checks run in `npm run check`, and take a minute. */
const replacedScripts = ['check:lint', 'bundle'] as const
const credentials = /^(?:SMOKE_TOKEN|CLOUDFLARE_API_TOKEN|GITHUB_TOKEN|MIGRATE_DATABASE_URL|SECRET_KEY|PLAID_SECRET)$/

/** In place of a check: passes if it gets no credential of the shell. */
const checkScript = `
const seen = Object.keys(process.env).filter((name) => ${credentials}.test(name))
console.log(seen.length === 0 ? 'nothing found' : 'got ' + seen.join(', '))
process.exitCode = seen.length === 0 ? 0 : 1
`

export interface Checkout {
  readonly folder: string
  readonly commit: string
  remove(): Promise<void>
}

export interface CheckoutChoices {
  /** `HOST:PORT` of the staging environment. */
  readonly host: string
  /** Variables of `[env.staging.vars]`, in addition or in place of those there. */
  readonly variables: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  /** Further files, by path. */
  readonly files: Readonly<Record<string, string>>
  /** A migration that the database has not seen: its name and SQL. */
  readonly migration: { readonly tag: string; readonly sql: string }
}

function configured(text: string, { host, variables }: CheckoutChoices): string {
  const lines = Object.entries(variables).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  const names = Object.keys(variables).join('|')
  const [before = '', after = ''] = text.split('[env.staging.vars]\n')
  const [own = '', ...rest] = after.split(/^(?=\[)/m)
  const kept = own.replaceAll(new RegExp(`^(?:${names}) = .*\n`, 'gm'), '')
  return [before, '[env.staging.vars]\n', lines.join('\n'), '\n', kept, ...rest]
    .join('')
    .replaceAll('api-staging.example.com', host)
}

const journalSchema = z.object({ entries: z.array(z.looseObject({ idx: z.number(), when: z.number() })) }).loose()

async function addMigration(folder: string, { tag, sql }: CheckoutChoices['migration']): Promise<void> {
  const file = join(folder, 'migrations', 'meta', '_journal.json')
  const journal = journalSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  const last = journal.entries.at(-1)
  const entry = { ...last, idx: (last?.idx ?? 0) + 1, when: (last?.when ?? 0) + 1000, tag }
  await writeFile(file, JSON.stringify({ ...journal, entries: [...journal.entries, entry] }))
  await writeFile(join(folder, 'migrations', `${tag}.sql`), sql)
}

const packageSchema = z.looseObject({ scripts: z.record(z.string(), z.string()) })

export async function makeCheckout(choices: CheckoutChoices): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-checkout-'))
  for (const name of copied) await cp(join(projectFolder, name), join(folder, name), { recursive: true })
  await symlink(join(projectFolder, 'node_modules'), join(folder, 'node_modules'))
  const change = async (name: string, edit: (text: string) => string): Promise<void> =>
    await writeFile(join(folder, name), edit(await readFile(join(folder, name), 'utf8')))
  await change('wrangler.toml', (text) => configured(text, choices))
  await change('package.json', (text) => {
    const parsed = packageSchema.parse(JSON.parse(text))
    const replaced = Object.fromEntries(replacedScripts.map((name) => [name, 'node check.cjs']))
    return JSON.stringify({ ...parsed, scripts: { ...parsed.scripts, ...replaced } }, null, 2)
  })
  await writeFile(join(folder, 'check.cjs'), checkScript)
  await addMigration(folder, choices.migration)
  for (const [path, content] of Object.entries(choices.files)) await writeFile(join(folder, path), content)
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: folder })).stdout
  await git('init', '-q')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'a release')
  // Git ignores it, as it does in a real checkout.
  await writeFile(join(folder, '.secrets.staging.json'), JSON.stringify(choices.secrets))
  return {
    folder,
    commit: (await git('rev-parse', 'HEAD')).trim(),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
