// A wrangler for tests, as strict as wrangler 4.156 and Cloudflare: records its calls as JSON lines in `calls.jsonl` and
// responds from `account.json`, both in the folder FAKE_CLOUDFLARE. `faults` of the account make commands fail.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { changeAccount, type Account, type Fault } from './account.ts'
import { type Call, parseCall, WranglerError } from './arguments.ts'
import { type Declared, readDeclared } from './toml.ts'
import { deployAtOnce, deployVersions, putSecrets, rollBack, uploadVersion, workerOf } from './versions.ts'

type Worked = string | { readonly event: object } | undefined

const json = (value: unknown): string => JSON.stringify(value, null, 2)

const viewOf = (version: Account['workers'][string]['versions'][number]) => ({
  id: version.id,
  number: 1,
  metadata: { created_on: version.created_on, author_email: 'operator@example.com', source: 'wrangler' },
  annotations: { 'workers/tag': version.tag ?? undefined, 'workers/message': version.message ?? undefined },
  resources: {
    script: { etag: 'etag', handlers: version.handlers },
    script_runtime: { compatibility_date: '2026-11-01', migration_tag: version.migration_tag ?? undefined },
    bindings: Object.keys(version.secrets).map((name) => ({ name, type: 'secret_text' })),
  },
})

function versionCommand({ command, positionals, values }: Call, account: Account, declared: Declared): Worked {
  const { workerName } = declared
  if (command === 'versions upload' || command === 'deploy') {
    const upload = command === 'deploy' ? deployAtOnce : uploadVersion
    const event = command === 'deploy' ? 'deploy' : 'version-upload'
    return {
      event: { type: event, version: 1, worker_name: workerName, version_id: upload(account, declared, values) },
    }
  }
  if (command === 'versions deploy') return deployVersions(account, workerName, positionals, values['message']) ?? ''
  if (command === 'rollback') return rollBack(account, workerName, positionals[0], values['message']) ?? ''
  if (command !== 'deployments status' && !command.startsWith('versions ')) return undefined
  const { versions, deployments } = workerOf(account, workerName)
  if (command === 'versions list') return json(versions.slice(-10).map(viewOf))
  if (command === 'versions view') {
    const found = versions.find(({ id }) => id === positionals[0])
    if (found === undefined) throw new WranglerError('The requested Worker version could not be found. [code: 10021]')
    return json(viewOf(found))
  }
  const newest = deployments.at(-1)
  if (newest === undefined) throw new WranglerError(`The Worker ${workerName} has no deployments.`)
  const { created_on: created, message, versions: shares } = newest
  const annotations = message === null ? {} : { 'workers/message': message }
  const heading = { id: 'deployment', source: 'wrangler', strategy: 'percentage', created_on: created }
  return json({ ...heading, author_email: 'operator@example.com', annotations, versions: shares })
}

function secretsOf(file: string | undefined, input: () => string): Record<string, string> {
  const content: unknown = JSON.parse(file === undefined ? input() : readFileSync(file, 'utf8'))
  const entries = Object.entries(content ?? {})
  if (entries.length > 100) throw new WranglerError('At most 100 secrets.')
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (typeof value !== 'string') throw new WranglerError(`The value for ${name} is not a string.`)
      return [name, value]
    }),
  )
}

function workerCommand(
  { command, positionals, values }: Call,
  account: Account,
  declared: Declared,
  input: () => string,
): Worked {
  const { workerName } = declared
  if (command === 'triggers deploy') {
    const given = values['triggers']
    workerOf(account, workerName).crons = Array.isArray(given) ? given.map(String) : [...declared.crons]
    return ''
  }
  if (command === 'secret list') {
    const names = Object.keys(workerOf(account, workerName).secrets)
    return json(names.map((name) => ({ name, type: 'secret_text' })))
  }
  if (command === 'secret bulk') return putSecrets(account, workerName, secretsOf(positionals[0], input)) ?? ''
  if (command !== 'whoami') return undefined
  if (values['json'] !== true) throw new WranglerError('whoami prints text without --json.')
  const accounts = [{ id: 'account', name: 'Test account' }]
  return json({ loggedIn: true, authType: 'Account API Token', email: 'operator@example.com', accounts })
}

function labelled(rows: readonly Record<string, string>[]): string {
  const block = (row: Record<string, string>): string => {
    const width = Math.max(...Object.keys(row).map((label) => label.length)) + 3
    return Object.entries(row)
      .map(([label, value]) => `${`${label}:`.padEnd(width)}${value}`)
      .join('\n')
  }
  return rows.map(block).join('\n\n')
}

function queueCommand({ command, positionals, values }: Call, { queues }: Account): Worked {
  const name = positionals[0] ?? ''
  if (command === 'queues info') {
    if (!Object.hasOwn(queues, name))
      throw new WranglerError(`Queue "${name}" does not exist. To create it, run: wrangler`)
    return `Queue Name: ${name}\nQueue ID: 1`
  }
  if (command !== 'queues create') return undefined
  if (Object.hasOwn(queues, name)) throw new WranglerError(`Queue name '${name}' is already taken. [code: 11009]`)
  const seconds = Number(values['message-retention-period-secs'] ?? 345_600)
  if (!(seconds >= 60 && seconds <= 1_209_600)) throw new WranglerError('The specified queue settings are invalid.')
  queues[name] = seconds
  return `Created queue '${name}'`
}

function bucketCommand({ command, positionals, values }: Call, { buckets }: Account): Worked {
  const [bucket = '', name = '', prefix = ''] = positionals
  if (command === 'r2 bucket list')
    return `Listing buckets...\n${labelled(Object.keys(buckets).map((found) => ({ name: found, creation_date: '2026-11-01T00:00:00.000Z' })))}`
  if (command === 'r2 bucket create') {
    if (Object.hasOwn(buckets, bucket))
      throw new WranglerError('The bucket you tried to create already exists. [code: 10004]')
    buckets[bucket] = []
    return `Created bucket '${bucket}'`
  }
  if (!command.startsWith('r2 bucket lock')) return undefined
  const locks = buckets[bucket]
  if (locks === undefined) throw new WranglerError('The specified bucket does not exist. [code: 10006]')
  if (command === 'r2 bucket lock list') {
    const rows = locks.map(({ days, ...lock }) => ({
      name: lock.name,
      enabled: 'Yes',
      prefix: lock.prefix,
      condition: `after ${days} days`,
    }))
    const heading = `Listing lock rules for bucket '${bucket}'...`
    return rows.length === 0
      ? `${heading}\nThere are no lock rules for bucket '${bucket}'.`
      : `${heading}\n${labelled(rows)}`
  }
  if (name === '') throw new WranglerError('Missing required rule name.')
  const days = Number(values['retention-days'])
  if (!(days > 0)) throw new WranglerError('The value for --retention-days must be a positive number.')
  if (locks.some((lock) => lock.name === name)) throw new WranglerError(`The lock rule ${name} exists.`)
  locks.push({ name, prefix, days })
  return `Added lock rule '${name}'`
}

const matches = (call: Call, { command, argument }: Fault): boolean =>
  call.command === command && (argument === undefined || call.positionals.some((given) => given.includes(argument)))

function answer(call: Call, folder: string, input: () => string): Worked {
  const declared = readDeclared(call.config, call.environment)
  const fault = changeAccount(folder, ({ faults }) => {
    const found = faults.find((candidate) => candidate.times !== 0 && matches(call, candidate))
    if (found?.times !== undefined) found.times -= 1
    return found
  })
  if (fault?.killsParent === true) process.kill(process.ppid, 'SIGKILL')
  if (fault !== undefined && fault.afterwards !== true)
    throw new WranglerError(fault.error ?? 'Cloudflare does not respond.')
  const worked = changeAccount(
    folder,
    (account) =>
      versionCommand(call, account, declared) ??
      workerCommand(call, account, declared, input) ??
      queueCommand(call, account) ??
      bucketCommand(call, account),
  )
  if (fault !== undefined) throw new WranglerError(fault.error ?? 'Cloudflare does not respond.')
  return worked
}

interface FakeCall {
  /** The folder of the account. */
  readonly folder: string
  /** Where events are written. */
  readonly events: string | undefined
  /** What stands on its standard input. */
  readonly input: () => string
}

/** One call. Returns what wrangler prints. @throws WranglerError */
export function callFake(args: readonly string[], { folder, events, input }: FakeCall): string {
  appendFileSync(join(folder, 'calls.jsonl'), `${JSON.stringify(args)}\n`)
  const worked = answer(parseCall(args), folder, input)
  if (typeof worked === 'object' && events !== undefined) appendFileSync(events, `${JSON.stringify(worked.event)}\n`)
  return typeof worked === 'string' ? `${worked}\n` : ''
}

if (import.meta.main)
  try {
    process.stdout.write(
      callFake(process.argv.slice(2), {
        folder: process.env['FAKE_CLOUDFLARE'] ?? '',
        events: process.env['WRANGLER_OUTPUT_FILE_PATH'],
        input: () => readFileSync(0, 'utf8'),
      }),
    )
  } catch (error) {
    if (!(error instanceof WranglerError)) throw error
    process.stderr.write(`✘ [ERROR] ${error.message}\n`)
    process.exitCode = 1
  }
