// `npm run admin`: shows and changes which built-in accounts are administrators. Uses MIGRATE_DATABASE_URL, the
// owner's, because no login of the Worker can change a role.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { ownerUrl } from '../dev/lib/owner-url.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { auditKeysOf } from './lib/audit-keys.ts'
import { recordCommand } from './lib/command-audit.ts'
import { inTransaction } from './lib/owner-connection.ts'

const help = `npm run admin -- grant EMAIL    makes a built-in account an administrator
npm run admin -- revoke EMAIL   takes the role away

MIGRATE_DATABASE_URL is the owner's postgres:// URL. A change ends all sessions of the account: its owner signs in again,
and access tokens that are out no longer reach the administrators' routes. Where an OIDC issuer vouches for users, the
issuer's tokens say who is an administrator.
A change is a row of the audit trail: AUDIT_KEY, AUDIT_KEY_ID and AUDIT_KEYS_PREVIOUS are the Worker's; a local stack without
AUDIT_KEY needs its SECRET_KEY.`

const roles = { grant: 'admin', revoke: 'user' } as const
type Action = keyof typeof roles
const recorded = { grant: 'admin_granted', revoke: 'admin_revoked' } as const

const changeSchema = z.object({ found: z.boolean(), changed: z.boolean(), ended: z.coerce.number() })

/** One statement, so that no session with the old role outlives the change. */
const change = `WITH changed AS (UPDATE identity.accounts SET role = $2 WHERE email = $1 AND role <> $2 RETURNING id),
  ended AS (DELETE FROM identity.sessions WHERE account_id IN (SELECT id FROM changed) RETURNING 1)
  SELECT EXISTS (SELECT FROM identity.accounts WHERE email = $1) AS found, EXISTS (SELECT FROM changed) AS changed,
    (SELECT count(*) FROM ended) AS ended`

function setRole(url: string, email: string, action: Action): Promise<z.output<typeof changeSchema>> {
  const keys = auditKeysOf(process.env)
  return inTransaction(url, 'admin', async (client) => {
    const { rows } = await client.query(change, [email, roles[action]])
    const result = changeSchema.parse(rows[0])
    if (result.changed) await recordCommand(client, keys, { action: recorded[action], target: null, owner: { email } })
    return result
  })
}

const isAction = (text: string | undefined): text is Action => text === 'grant' || text === 'revoke'

async function main(args: string[]): Promise<void> {
  const { positionals } = parseArgs({ args, options: {}, allowPositionals: true })
  const [action, address, ...more] = positionals
  if (!isAction(action) || address === undefined || more.length > 0)
    throw misuse('Say grant or revoke, and the e-mail address of one account.')
  const email = address.toLowerCase()
  const { found, changed, ended } = await setRole(ownerUrl(), email, action)
  if (!found) throw new Error(`There is no account with the address ${email}.`)
  const is = action === 'grant' ? 'is an administrator' : 'is not an administrator'
  process.stdout.write(
    changed ? `${email} ${is} now; ${ended} sessions ended.\n` : `${email} ${is} already; nothing changed.\n`,
  )
}

if (import.meta.main) await runCommand(help, main)
