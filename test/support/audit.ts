// Rows of the audit trail as a test looks at them, and one for code that needs one.
import { audit } from '../../src/audit/audit.ts'
import type { AuditRow } from '../../src/db/audit/record.ts'
import type { World } from './world.ts'

/** A row for a batch whose trail the test does not look at. */
export const anyAudit = (world: World): Promise<AuditRow> =>
  audit(world.job(), { action: 'item_removed', target: crypto.randomUUID() })

/** Rows about a target, oldest first, as PostgreSQL's text. */
export const auditOf = (world: World, target: string): Promise<Record<string, unknown>[]> =>
  world.sql('select * from audit_log where target_id = $1 order by at, id', [target])
