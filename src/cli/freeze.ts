// `npm run freeze`: the switch that stops all writes and all calls of Plaid, for an operator with the owner's URL. Works
// while the Worker is down, and locks out an attacker who holds an administrator's token.
import { parseArgs } from 'node:util'
import type { Client } from 'pg'
import * as z from 'zod'
import type { AuditKeys } from '../audit/keys.ts'
import { ownerUrl } from '../dev/lib/owner-url.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { auditKeysOf } from './lib/audit-keys.ts'
import { recordCommand } from './lib/command-audit.ts'
import { inTransaction } from './lib/owner-connection.ts'

const help = `npm run freeze -- status     prints the state and since when
npm run freeze -- lock       stops all writes and all calls of Plaid; only this command can undo it
npm run freeze -- frozen     the same, and an administrator may undo it: DELETE /api/v1/admin/freeze
npm run freeze -- recovery   stops them but for the rotation of access tokens
npm run freeze -- off        ends the freeze

A change is a row of the audit trail, signed with AUDIT_KEY, AUDIT_KEY_ID and AUDIT_KEYS_PREVIOUS, which are the Worker's; a
local stack without AUDIT_KEY has its SECRET_KEY. Without them the command works, and says that there is no row.
MIGRATE_DATABASE_URL is the owner's postgres:// URL. docs/incident-response.md describes the freeze.`

const states = { lock: 'locked', frozen: 'frozen', recovery: 'recovery', off: 'off' } as const
const isAction = (text: string | undefined): text is keyof typeof states =>
  text !== undefined && Object.hasOwn(states, text)

const row = z.object({ state: z.string(), changed_at: z.date() })

/** Null without keys: in an incident, the freeze does not wait for them. */
function keysOrWarning(): AuditKeys | null {
  const { AUDIT_KEY, SECRET_KEY } = process.env
  if (AUDIT_KEY || SECRET_KEY) return auditKeysOf(process.env)
  process.stderr.write('AUDIT_KEY is not set: the audit trail has no row of this change.\n')
  return null
}

async function change(client: Client, state: string): Promise<void> {
  const keys = keysOrWarning()
  const { rowCount } = await client.query(
    `INSERT INTO safety_switches (name, state) VALUES ('freeze', $1)
     ON CONFLICT (name) DO UPDATE SET state = $1, changed_at = now() WHERE safety_switches.state <> $1`,
    [state],
  )
  if (keys !== null && rowCount !== 0) await recordCommand(client, keys, { action: 'freeze_changed', target: state })
}

const withSwitch = (state: string | null): Promise<z.output<typeof row>> =>
  inTransaction(ownerUrl(), 'freeze', async (client) => {
    if (state !== null) await change(client, state)
    const { rows } = await client.query(`SELECT state, changed_at FROM safety_switches WHERE name = 'freeze'`)
    return row.parse(rows[0] ?? { state: 'frozen', changed_at: new Date(0) })
  })

async function main(args: string[]): Promise<void> {
  const { positionals } = parseArgs({ args, options: {}, allowPositionals: true })
  const [action, ...more] = positionals
  if ((action !== 'status' && !isAction(action)) || more.length > 0)
    throw misuse('Name one of status, lock, frozen, recovery and off.')
  const { state, changed_at: since } = await withSwitch(isAction(action) ? states[action] : null)
  process.stdout.write(`${state} since ${since.toISOString()}\n`)
}

if (import.meta.main) await runCommand(help, main)
