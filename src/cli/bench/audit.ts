// What the audit trail adds to a sync: the commit of 500 new transactions with the row about the use of the access token
// that the first sync of an item on a day writes before it, against the same commit without. The two alternate, each time for
// a new user.
import { createAuditKeys } from '../../audit/keys.ts'
import { fieldsOf, type SignedRow } from '../../audit/signed-row.ts'
import { recordAudit } from '../../db/audit/record.ts'
import { execute } from '../../db/core/client.ts'
import { bankRows, type HeldItem, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers, prepareCommit } from './stored-commit.ts'

const size = 500
const rounds = 40
const warmUps = 3
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

type Side = 'database' | 'endpoint'

/** The milliseconds of one commit, of a new user. */
async function timed(
  database: ScratchDatabase,
  rows: ReturnType<typeof bankRows>,
  side: Side,
  isRecorded: boolean,
): Promise<number> {
  const item = await makeItem(database.owner, crypto.randomUUID())
  const commit = await prepareCommit(database, item, rows)
  const work = async (): Promise<void> => {
    if (isRecorded) await recordUse(database, item)
    await commit()
  }
  if (side === 'database') return await database.directly(work)
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function measure(database: ScratchDatabase, side: Side, signal: AbortSignal): Promise<Result> {
  const rows = bankRows(size)
  const times: { readonly audited: number[]; readonly plain: number[] } = { audited: [], plain: [] }
  // The first pairs warm the caches.
  for (let round = -warmUps; round < rounds; round += 1) {
    signal.throwIfAborted()
    const isFirst = round % 2 === 0
    const one = await timed(database, rows, side, isFirst)
    const other = await timed(database, rows, side, !isFirst)
    if (round < 0) continue
    times.audited.push(isFirst ? one : other)
    times.plain.push(isFirst ? other : one)
  }
  const added = median(times.audited.map((time, index) => time - (times.plain[index] ?? NaN)))
  const ratio = added / median(times.plain)
  const through = side === 'database' ? 'statements over a connection' : 'through the HTTP endpoint'
  return {
    name: `audit: commit of ${size} in the first sync of an item on a day, ${through}`,
    value: rounded(median(times.audited)),
    unit: 'ms',
    against: rounded(median(times.plain)),
    ratio: rounded(1 + ratio),
    target: `< ${most * 100} % more, median of the pairs`,
    ok: ratio < most,
  }
}

export const auditBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    try {
      await fillWithOthers(database.owner)
      const results: Result[] = []
      for (const side of ['database', 'endpoint'] as const) {
        say(`committing ${size}, ${rounds} pairs, ${side}`)
        results.push(await measure(database, side, signal))
      }
      return results
    } finally {
      await database.stop()
    }
  },
}
