// The secrets of a Worker: makes those that are random, asks the database for its logins, and uploads what Cloudflare does
// not have. Prints names, never values.
import { randomBytes } from 'node:crypto'
import { secretNames as knownNames, type Values } from '../lib/deployment-values.ts'
import { readFileSecrets, writeFileSecrets } from './secrets-file.ts'
import type { SetupPorts } from './ports.ts'

const randomSecrets = ['SECRET_KEY', 'ENCRYPTION_KEY', 'AUDIT_KEY'] as const
const keyBytes = 32

/** The database URLs that this configuration needs. */
function databaseNames({ config }: SetupPorts): string[] {
  const { variables } = config
  const isBuiltin = variables['AUTH_MODE'] === 'builtin' || !(variables['AUTH_MODE'] || variables['AUTH_ISSUER'])
  return [
    'DATABASE_URL',
    'DATABASE_JOBS_URL',
    ...(isBuiltin ? ['DATABASE_IDENTITY_URL'] : []),
    ...(variables['BACKUP_RECIPIENT'] === 'none' ? [] : ['DATABASE_BACKUP_URL']),
  ]
}

async function makeKeys({ database }: SetupPorts, missing: readonly string[]): Promise<Values> {
  const names = randomSecrets.filter((name) => missing.includes(name))
  if (names.length === 0) return {}
  if (database === null)
    throw new Error(
      `${names.join(', ')} are missing. Set MIGRATE_DATABASE_URL to the owner's URL: they are made if no stored row needs an ` +
        'older key. Or put them into the file of secrets.',
    )
  const inUse = await database.keysInUse()
  const lost = names.filter((name) => inUse.includes(name))
  if (lost.length > 0)
    throw new Error(
      `Stored rows need ${lost.join(', ')}, which neither Cloudflare nor the file of secrets has. A new key does not fit ` +
        'them: put the old one from your vault into the file.',
    )
  return Object.fromEntries(names.map((name) => [name, randomBytes(keyBytes).toString('base64')]))
}

/** One generation of logins has all four passwords; those that are not needed are not kept. */
async function makeLogins(ports: SetupPorts, missing: readonly string[]): Promise<Values> {
  const names = databaseNames(ports).filter((name) => missing.includes(name))
  if (names.length === 0) return {}
  if (ports.database === null)
    throw new Error(`${names.join(', ')} are missing: set MIGRATE_DATABASE_URL to the owner's URL, and they are made.`)
  const urls = await ports.database.makeLogins()
  return Object.fromEntries(
    names.map((name) => {
      const url = urls[name]
      if (url === undefined) throw new Error(`The database made no login for ${name}.`)
      return [name, url]
    }),
  )
}

export interface SecretsOptions {
  /** Secrets that replace those of Cloudflare. */
  readonly replace: readonly string[]
}

/** @returns the required secrets that are still missing */
export async function setUpSecrets(ports: SetupPorts, { replace }: SecretsOptions): Promise<string[]> {
  const { cloudflare, config, file, print } = ports
  const there = (await cloudflare.secretNames()) ?? []
  const given = await readFileSecrets(file)
  const wanted = [...new Set([...config.requiredSecrets, ...databaseNames(ports)])]
  const missing = wanted.filter((name) => !there.includes(name) && given[name] === undefined)
  const made = { ...(await makeKeys(ports, missing)), ...(await makeLogins(ports, missing)) }
  const all = { ...given, ...made }
  if (Object.keys(made).length > 0) {
    await writeFileSecrets(file, all)
    for (const name of Object.keys(made)) print(`created ${name} in ${file}`)
  }
  const absent = replace.filter((name) => all[name] === undefined)
  if (absent.length > 0) throw new Error(`--replace ${absent.join(', ')}: ${file} has no such secret.`)
  const unknown = Object.keys(all).filter((name) => !knownNames.includes(name))
  if (unknown.length > 0) print(`not uploaded, because the Worker has no such secret: ${unknown.join(', ')}`)
  const names = Object.keys(all).filter(
    (name) => knownNames.includes(name) && (!there.includes(name) || replace.includes(name)),
  )
  if (names.length > 0) await cloudflare.putSecrets(Object.fromEntries(names.map((name) => [name, all[name] ?? ''])))
  for (const name of names) print(`${there.includes(name) ? 'replaced' : 'created'} secret ${name}`)
  for (const name of there.filter((found) => !names.includes(found))) print(`exists secret ${name}`)
  const keys = randomSecrets.filter((name) => there.includes(name) && all[name] === undefined)
  if (keys.length > 0)
    print(`${keys.join(', ')} exist at Cloudflare but not in ${file}: check that your vault has them.`)
  return wanted.filter((name) => !there.includes(name) && all[name] === undefined)
}
