// `npm run audit -- verify`: verifies the audit trail, row by row, on the owner's connection. Prints no key.
import { drizzle } from 'drizzle-orm/node-postgres'
import { parseArgs } from 'node:util'
import { type Anchor, parseAnchor, type RunStatement, type Verification, verifyAudit } from '../audit/verify.ts'
import { verificationText } from '../audit/verification.ts'
import { ownerUrl } from '../dev/lib/owner-url.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { auditKeysOf } from './lib/audit-keys.ts'
import { recordCommand } from './lib/command-audit.ts'
import { withConnection } from './lib/owner-connection.ts'

const help = `npm run audit -- verify [--checkpoint NUMBER:MAC]...

Verifies every row of the audit trail, its chains and its checkpoints, names the first one that is wrong, and then exits
with 1. The result is a row of the trail, which GET /api/v1/admin/audit/verify returns. Prints the last checkpoint: keep
it outside of the database, and give it to later runs with --checkpoint. Without one, a database that was put back as a
whole to an earlier state verifies.
MIGRATE_DATABASE_URL is the owner's postgres:// URL. AUDIT_KEY, AUDIT_KEY_ID and AUDIT_KEYS_PREVIOUS are the Worker's; a
local stack without AUDIT_KEY needs its SECRET_KEY.`

function anchorOf(text: string): Anchor {
  const anchor = parseAnchor(text)
  if (anchor === null) throw misuse(`--checkpoint ${text} is not NUMBER:MAC.`)
  return anchor
}

/** One snapshot: rows that are written meanwhile are not seen. */
function verify(url: string, anchors: readonly Anchor[]): Promise<Verification> {
  const keys = auditKeysOf(process.env)
  return withConnection(url, 'audit', async (client) => {
    await client.query('begin isolation level repeatable read read only')
    const database = drizzle(client)
    const run: RunStatement = async ({ sql, row }) => (await database.execute(sql)).rows.map((each) => row.parse(each))
    const verification = await verifyAudit({ run, keys, anchors })
    await client.query('commit')
    await recordCommand(client, keys, { action: 'audit_verified', target: verificationText(verification) })
    return verification
  })
}

function describe({ fault, rows, chains, unchained, oldestUnchainedAt, checkpoint }: Verification): string[] {
  if (fault !== null) {
    const places = [
      fault.auditId === undefined ? [] : [`row ${fault.auditId}`],
      fault.chain === undefined ? [] : [`link ${fault.number} of chain ${fault.chain}`],
      fault.checkpoint === undefined ? [] : [`checkpoint ${fault.checkpoint}`],
    ]
    return [`NOT VALID: ${fault.what} (${places.flat().join(', ')})`]
  }
  const since = oldestUnchainedAt === null ? '' : `, the oldest since ${oldestUnchainedAt.toISOString()}`
  return [
    `valid: ${rows} rows in ${chains} chains`,
    `not in a chain yet: ${unchained}${since}`,
    checkpoint === null ? 'no checkpoint yet' : `checkpoint ${checkpoint.number}:${checkpoint.mac}`,
  ]
}

async function main(args: string[]): Promise<void> {
  const options = { checkpoint: { type: 'string', multiple: true } } as const
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  if (positionals.length !== 1 || positionals[0] !== 'verify') throw misuse('Name the action: verify.')
  const verification = await verify(ownerUrl(), (values.checkpoint ?? []).map(anchorOf))
  process.stdout.write(`${describe(verification).join('\n')}\n`)
  if (verification.fault !== null) process.exitCode = 1
}

if (import.meta.main) await runCommand(help, main)
