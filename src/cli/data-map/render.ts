// The data map as Markdown: every stored column with its purpose, from the schema, the retention policy, the lists of the
// export and of the erasure, and ./purposes.ts.
import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import * as accounts from '../../../drizzle/tables/accounts.ts'
import * as applications from '../../../drizzle/tables/applications.ts'
import * as audit from '../../../drizzle/tables/audit.ts'
import * as changes from '../../../drizzle/tables/changes.ts'
import * as events from '../../../drizzle/tables/events.ts'
import * as identity from '../../../drizzle/tables/identity.ts'
import * as investments from '../../../drizzle/tables/investments.ts'
import * as items from '../../../drizzle/tables/items.ts'
import * as liabilities from '../../../drizzle/tables/liabilities.ts'
import * as links from '../../../drizzle/tables/links.ts'
import * as operations from '../../../drizzle/tables/operations.ts'
import * as privacy from '../../../drizzle/tables/privacy.ts'
import * as rules from '../../../drizzle/tables/rules.ts'
import * as transactions from '../../../drizzle/tables/transactions.ts'
import * as users from '../../../drizzle/tables/users.ts'
import { erasedTables, lastErasedTables } from '../../db/privacy/erasures.ts'
import { exportedTables, leftOutOfLogins, leftOutTables } from '../../db/privacy/exported-tables.ts'
import { type DataClass, policy } from '../../retention/policy.ts'
import { common, purposes } from './purposes.ts'

const modules = [
  users,
  privacy,
  identity,
  items,
  accounts,
  transactions,
  changes,
  rules,
  investments,
  liabilities,
  links,
  operations,
  applications,
  events,
  audit,
]
const migrations = { name: 'drizzle.__drizzle_migrations', columns: ['id', 'hash', 'created_at'] }

interface StoredTable {
  readonly name: string
  readonly columns: readonly string[]
}

/** In the order of their names. */
const storedTables = (): readonly StoredTable[] =>
  [
    ...modules
      .flatMap((module): unknown[] => Object.values(module))
      .filter((value) => is(value, PgTable))
      .map((table) => {
        const { schema = 'public', name, columns } = getTableConfig(table)
        return { name: `${schema}.${name}`, columns: columns.map((column) => column.name) }
      }),
    migrations,
  ].toSorted((one, other) => (one.name < other.name ? -1 : 1))

const kept = 'kept: about no person'
const withoutPerson = 'kept, and identifies no person'

/** What an erasure does to tables that are not in its lists. */
const erasures: Readonly<Record<string, string>> = {
  'public.users': 'deleted',
  'public.rules': 'deleted',
  'public.user_visits': 'deleted',
  'public.changes': 'deleted',
  'public.item_products': 'deleted',
  'public.plaid_removals': 'deleted when Plaid has confirmed the removal',
  'public.erasures': 'kept: the tombstone, a hash',
  'public.audit_log': withoutPerson,
  'public.audit_people': 'deleted',
  'public.audit_chains': 'the person is deleted',
  'public.audit_links': withoutPerson,
  'public.audit_checkpoints': withoutPerson,
  'public.audit_prunings': withoutPerson,
  'public.audit_unchained': withoutPerson,
  'public.applications': kept,
  'public.backups': kept,
  'public.plaid_usage': kept,
  'public.safety_switches': kept,
  'public.unmatched_webhooks': kept,
  'public.webhook_keys': kept,
  'drizzle.__drizzle_migrations': kept,
  'identity.accounts': 'deleted',
  'identity.sessions': 'deleted',
  'identity.recovery_codes': 'deleted',
  'identity.registrations': 'deleted',
  'identity.password_resets': 'deleted',
  'identity.throttles': 'kept for a day at most: hashes',
}

const missing = (what: string): Error => new Error(`${what} is missing in the data map (src/cli/data-map).`)

function erasureOf(table: string): string {
  const [schema, name] = table.split('.')
  const listed: readonly string[] = [...erasedTables, ...lastErasedTables]
  if (schema === 'public' && listed.includes(name ?? '')) return 'deleted'
  const text = erasures[table]
  if (text === undefined) throw missing(`What an erasure does to ${table}`)
  return text
}

function periodOf({ days, from }: DataClass): string {
  if (days === null) return from.startsWith('never') ? from : `until ${from}`
  return `${typeof days === 'number' ? `${days} days` : `\`${days}\` days`} from ${from}`
}

function retentionOf(table: string): { readonly days: string; readonly readers: string } {
  const lines = Object.values<DataClass>(policy).filter(({ tables }) => tables.includes(table))
  if (lines.length === 0) throw missing(`The retention of ${table}`)
  return {
    days: lines.map(periodOf).join('; '),
    readers: [...new Set(lines.flatMap(({ readers }) => readers))].join(', '),
  }
}

function isExported(table: string, column: string): boolean {
  const [schema, name = ''] = table.split('.')
  if (schema === 'drizzle') return false
  if (schema === 'identity') return !Object.hasOwn(leftOutOfLogins, `${name}.${column}`)
  const exported = exportedTables[name]
  if (exported !== undefined) return !Object.hasOwn(exported.leftOut ?? {}, column)
  if (!Object.hasOwn(leftOutTables, name)) throw missing(`Whether ${table} is exported`)
  return false
}

const forms: readonly (readonly [RegExp, string])[] = [
  [/_sealed$/, 'sealed'],
  [/(?:_hash|_digest)$|^(?:replay_key|key)$/, 'hash'],
  [/^(?:mac|head|heads|previous|certificate)$/, 'signature'],
  [/^network$/, 'pseudonym'],
]
const formOf = (column: string): string => forms.find(([pattern]) => pattern.test(column))?.[1] ?? 'plain'

function purposeOf(table: string, column: string): string {
  const text = purposes[table]?.[column] ?? common[column]
  if (text === undefined) throw missing(`The purpose of ${table}.${column}`)
  return text
}

/** Purposes of columns that are not there. */
export function needless(tables: readonly StoredTable[] = storedTables()): string[] {
  const columns = new Map(tables.map(({ name, columns: names }) => [name, names]))
  const used = new Set(tables.flatMap(({ columns: names }) => names))
  return [
    ...Object.keys(common).filter((name) => !used.has(name)),
    ...Object.entries(purposes).flatMap(([table, of]) =>
      Object.keys(of)
        .filter((column) => columns.get(table)?.includes(column) !== true)
        .map((column) => `${table}.${column}`),
    ),
  ]
}

function sectionOf({ name, columns }: StoredTable): string {
  const { days, readers } = retentionOf(name)
  const rows = columns.map(
    (column) =>
      `| \`${column}\` | ${purposeOf(name, column)} | ${formOf(column)} | ${isExported(name, column) ? 'yes' : 'no'} |`,
  )
  return [
    `## ${name}`,
    '',
    `- How long: ${days}`,
    `- Who reads it: ${readers}`,
    `- Erasure: ${erasureOf(name)}`,
    '',
    '| column | why | form | in the export |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n')
}

const preface = `# Data map

Every stored column: why it is stored, in which form, how long, who reads it, and whether the export and the erasure of a person include
it. \`npm run data-map\` writes this page from the schema, [retention.md](retention.md)'s policy and \`src/cli/data-map/purposes.ts\`;
\`npm run check\` fails where they differ, or where a column has no purpose.

- **Form.** _sealed_: AES-256-GCM with a key that only the Worker has. _hash_: of a secret or an identifier that is not stored. _pseudonym_: an
  HMAC that changes every day. _signature_: proves that rows are unchanged. _plain_: protected by logins and row-level security, and by the
  database's encryption at rest.
- **Who reads it.** _user_: only the person whose row it is. _administrator_: by the routes for administrators, each read of which
  is a row of the audit trail. _jobs_: the Worker's background jobs. _sign-in_: the Worker's functions for built-in accounts.
- **Elsewhere.** Log lines have pseudonyms of people and networks, and no amounts, names or tokens. Encrypted backups have every table.
  The bucket of backups also has an object for each erasure: its id and time, and a hash of the person's issuer and subject, no name
  ([disaster-recovery.md](disaster-recovery.md#who-was-erased)). Messages in queues have ids alone. Reports to Sentry have neither amounts
  nor names. Plaid, the banks and the sender of e-mails have what [third-parties.md](third-parties.md)
  lists.
`

/** The text of docs/data-map.md. @throws Error that names the first column without a purpose */
export const renderDataMap = (tables: readonly StoredTable[] = storedTables()): string =>
  `${[preface.trimEnd(), ...tables.map(sectionOf)].join('\n\n')}\n`
