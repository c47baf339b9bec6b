// `npm run db:migrate | db:bootstrap | db:generate | db:check`: the commands for the database schema. Use
// MIGRATE_DATABASE_URL, the owner's. Print passwords only if the command creates them.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { bootstrap, type BootstrapOptions, retireLogins } from '../dev/lib/bootstrap.ts'
import { migrate } from '../dev/lib/migrate.ts'
import { ownerUrl } from '../dev/lib/owner-url.ts'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'

const kitTimeoutMs = 60_000
const run = promisify(execFile)

const help = `npm run db:migrate              applies the migrations that MIGRATE_DATABASE_URL's database has not seen
npm run db:bootstrap            makes the Worker's four logins there and prints their URLs as JSON
npm run db:bootstrap -- --force   also where the logins that get new passwords have sessions
npm run db:bootstrap -- --retire  ends every login of the Worker but the newest four, and their sessions
npm run db:generate -- --name N writes the migration from the last one to the schema in drizzle/
npm run db:check                fails where the schema and the migrations differ

MIGRATE_DATABASE_URL is the owner's postgres:// URL, without a pooler in between.
db:bootstrap takes API_PASSWORD, JOBS_PASSWORD, IDENTITY_PASSWORD and BACKUP_PASSWORD from the environment, or makes
random ones. Each run makes the next generation of logins and leaves the one before valid, so that a running Worker keeps
working. It refuses while the logins that would get new passwords have sessions. It copies the settings of wn_api,
wn_jobs, wn_identity and wn_backup to their logins. The JSON on its output is what \`wrangler secret bulk\` takes. Once
the Worker has the new URLs, --retire ends the older logins.`

function drizzleKit(args: readonly string[], folder: string) {
  const program = join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs')
  const options = { cwd: folder, timeout: kitTimeoutMs }
  const running = run(process.execPath, [program, ...args, '--config', 'drizzle/config.ts'], options)
  // drizzle-kit asks whether a column was renamed; without a terminal that must fail instead of waiting.
  running.child.stdin?.end()
  return running
}

async function generate(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { name: { type: 'string' }, custom: { type: 'boolean' } } })
  if (!values.name) throw misuse('--name says what the migration does, as in --name add_item_status.')
  const custom = values.custom ? ['--custom'] : []
  const { stdout } = await drizzleKit(['generate', '--name', values.name, ...custom], projectFolder)
  process.stdout.write(stdout)
}

/** Generates into a copy: a difference between schema and migrations shows as a new file. */
async function check(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-schema-'))
  try {
    for (const name of ['drizzle', 'migrations']) {
      await cp(join(projectFolder, name), join(folder, name), { recursive: true })
    }
    for (const name of ['node_modules', 'package.json']) await symlink(join(projectFolder, name), join(folder, name))
    const before = new Set(await readdir(join(folder, 'migrations')))
    await drizzleKit(['check'], folder)
    await drizzleKit(['generate', '--name', 'difference'], folder)
    const added = (await readdir(join(folder, 'migrations'))).filter((name) => !before.has(name))
    if (added.length === 0) return
    const sql = await Promise.all(added.map((name) => readFile(join(folder, 'migrations', name), 'utf8')))
    throw new Error(`The schema is ahead of the migrations: run \`npm run db:generate\`. Missing:\n${sql.join('\n')}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function givenPasswords(): BootstrapOptions {
  const {
    API_PASSWORD: apiPassword,
    JOBS_PASSWORD: jobsPassword,
    IDENTITY_PASSWORD: identityPassword,
    BACKUP_PASSWORD: backupPassword,
  } = process.env
  return {
    ...(apiPassword ? { apiPassword } : {}),
    ...(jobsPassword ? { jobsPassword } : {}),
    ...(identityPassword ? { identityPassword } : {}),
    ...(backupPassword ? { backupPassword } : {}),
  }
}

/** Only the URLs go to standard output, so that it can be redirected to a file; instructions go to standard error. */
async function makeLogins(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { retire: { type: 'boolean' }, force: { type: 'boolean' } } })
  if (values.retire && values.force) throw misuse('--force does not go with --retire.')
  if (values.retire) {
    const { logins, sessions } = await retireLogins(ownerUrl())
    const ended = logins.length === 0 ? 'There was no older login.' : `Ended: ${logins.join(', ')}.`
    process.stderr.write(`${ended} Sessions ended: ${sessions}.\n`)
    return
  }
  const made = await bootstrap(ownerUrl(), { ...givenPasswords(), force: values.force ?? false })
  const urls = {
    DATABASE_URL: made.apiUrl,
    DATABASE_JOBS_URL: made.jobsUrl,
    DATABASE_IDENTITY_URL: made.identityUrl,
    DATABASE_BACKUP_URL: made.backupUrl,
  }
  process.stdout.write(`${JSON.stringify(urls, null, 2)}\n`)
  process.stderr.write(
    `Logins of generation ${made.generation} are ready; older ones stay valid. When the Worker has these URLs and /ready is ` +
      'ready, run `npm run db:bootstrap -- --retire`.\n',
  )
}

async function main([action, ...args]: string[]): Promise<void> {
  if (action !== 'generate' && action !== 'bootstrap') parseArgs({ args, options: {} })
  switch (action) {
    case 'migrate':
      await migrate(ownerUrl())
      process.stdout.write('The database is at the newest migration.\n')
      return
    case 'bootstrap':
      return makeLogins(args)
    case 'generate':
      return generate(args)
    case 'check':
      await check()
      process.stdout.write('The migrations are in step with the schema.\n')
      return
    default:
      throw misuse('Say migrate, bootstrap, generate or check.')
  }
}

if (import.meta.main) await runCommand(help, main)
