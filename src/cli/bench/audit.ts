// What the audit trail adds to a sync: the commit of 500 new transactions with the row about the use of the access token
// that the first sync of an item on a day writes before it, against the same commit without. The two alternate, each time for
// a new user.
import { createAuditKeys } from '../../audit/keys.ts'
import { fieldsOf, type SignedRow } from '../../audit/signed-row.ts'
import { recordAudit } from '../../db/audit/record.ts'
import { execute } from '../../db/core/client.ts'
import { bankRows, type HeldItem, makeItem } from './bank-rows.ts'
import { type Benchmark, median, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers, prepareCommit } from './stored-commit.ts'

const size = 500
const rounds = 40
const most = 0.1

const keys = createAuditKeys({ current: { id: 'bench', secret: new Uint8Array(32).fill(7) }, previous: [] })

async function recordUse({ jobs }: ScratchDatabase, { itemId, userId }: HeldItem): Promise<void> {
  const row: SignedRow = {
    id: crypto.randomUUID(),
    at: new Date(),
    actorKind: 'queue',
    actorHash: null,
    action: 'token_used',
    targetKind: 'item',
    targetId: itemId,
    requestId: crypto.randomUUID(),
    correlationId: null,
    network: null,
  }
  const signature = await keys.sign('row', fieldsOf(row))
  await execute(jobs, [recordAudit({ ...row, ...signature, actor: null, owner: { userId } })])
}

async function timed(
  database: ScratchDatabase,
  rows: ReturnType<typeof bankRows>,
  isRecorded: boolean,
): Promise<number> {
  const item = await makeItem(database.owner, crypto.randomUUID())
  const commit = await prepareCommit(database, item, rows)
  const started = performance.now()
  if (isRecorded) await recordUse(database, item)
  await commit()
  return performance.now() - started
}

export const auditBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    try {
      await fillWithOthers(database.owner)
      const rows = bankRows(size)
      const times: { readonly audited: number[]; readonly plain: number[]; readonly added: number[] } = {
        audited: [],
        plain: [],
        added: [],
      }
      say(`committing ${size}, ${rounds} pairs`)
      for (let round = -3; round < rounds; round += 1) {
        signal.throwIfAborted()
        const isFirst = round % 2 === 0
        const one = await timed(database, rows, isFirst)
        const other = await timed(database, rows, !isFirst)
        const [audited, plain] = isFirst ? [one, other] : [other, one]
        // The first pairs warm the caches.
        if (round < 0) continue
        times.audited.push(audited)
        times.plain.push(plain)
        times.added.push(audited - plain)
      }
      const ratio = median(times.added) / median(times.plain)
      return [
        {
          name: `audit: a commit of ${size} with the row of the token's use`,
          value: rounded(median(times.audited)),
          unit: 'ms',
          against: rounded(median(times.plain)),
          ratio: rounded(1 + ratio),
          target: `< ${most * 100} % more, median of the pairs`,
          ok: ratio < most,
        },
      ]
    } finally {
      await database.stop()
    }
  },
}
