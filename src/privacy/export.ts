// The export of everything that is stored about a user, as a stream: memory holds one page of rows. There is no snapshot
// over several requests to the database: each page is consistent in itself, and a row that changes meanwhile may be
// exported as it was or as it is; a transaction that changes may be exported twice, its newest state last.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { type Bytes, utf8 } from '../crypto/encoding.ts'
import {
  columnsOf,
  type Documents,
  type ExportedColumn,
  exportedAccountIds,
  exportLogin,
  exportPage,
  recordExport,
} from '../db/privacy/export.ts'
import { exportedLogins, type ExportedTable, exportedTables } from '../db/privacy/exported-tables.ts'
import { parseCells } from './cells.ts'
import { byteOrderMark, csvLine } from './csv.ts'
import { streamOf, zip, type ZipEntry } from './zip.ts'

export const exportFormat = 'wealthnavigator-export'
/** Raised when a reader of the format would have to change. */
export const exportFormatVersion = 1

/** A table, and its rows page by page, each row a JSON object as text. */
interface DataSet {
  readonly name: string
  readonly columns: readonly ExportedColumn[]
  readonly pages: AsyncIterable<readonly string[]> | Iterable<readonly string[]>
}

/** How many rows each table had. */
type Counts = Record<string, number>

async function* pagesOf(ctx: Ctx<User>, exported: ExportedTable, documents: Documents, accountId: string | null) {
  for (let after: readonly string[] | null = null; ;) {
    const page = await exportPage(ctx.services.api, ctx.actor.identity, exported, { documents, after, accountId })
    if (page.lines.length > 0) yield page.lines
    if (page.next === null) return
    after = page.next
  }
}

async function* tablePages(
  ctx: Ctx<User>,
  exported: ExportedTable,
  documents: Documents,
  accountIds: readonly string[],
) {
  const parts = exported.byAccount === undefined ? [null] : accountIds
  for (const accountId of parts) yield* pagesOf(ctx, exported, documents, accountId)
}

/** What is stored of the built-in account that the session belongs to; a token without a session belongs to none. */
async function loginSets({ services, actor }: Ctx<User>): Promise<DataSet[]> {
  if (services.identity === null || actor.sessionId === undefined) return []
  const { database } = await services.identity()
  const key = { accountId: actor.identity.subject, sessionId: actor.sessionId }
  const lines = await exportLogin(database, key)
  return Object.entries(exportedLogins).map(([name, columns]) => ({
    name,
    columns: columns.map((column) => ({ name: column, isNumeric: false })),
    pages: [lines.filter((each) => each.name === name).map(({ line }) => line)],
  }))
}

async function* dataSets(ctx: Ctx<User>, documents: Documents): AsyncGenerator<DataSet> {
  yield* await loginSets(ctx)
  const accountIds = await exportedAccountIds(ctx.services.api, ctx.actor.identity)
  for (const [name, exported] of Object.entries(exportedTables))
    yield { name, columns: columnsOf(exported), pages: tablePages(ctx, exported, documents, accountIds) }
}

const headOf = ({ actor, now }: Ctx<User>) => ({
  format: exportFormat,
  format_version: exportFormatVersion,
  exported_at: now().toISOString(),
  user: { issuer: actor.identity.issuer, subject: actor.identity.subject },
})

const jsonLine = (value: unknown): Bytes => utf8(`${JSON.stringify(value)}\n`)

/** A line for the head, one for each row, and a last one with the number of rows; a stream that broke off lacks it. */
async function* jsonLines(ctx: Ctx<User>): AsyncGenerator<Bytes> {
  const counts: Counts = {}
  yield jsonLine(headOf(ctx))
  for await (const { name, pages } of dataSets(ctx, 'json')) {
    counts[name] = 0
    for await (const lines of pages) {
      counts[name] += lines.length
      yield utf8(lines.map((line) => `{"table":"${name}","row":${line}}\n`).join(''))
    }
  }
  yield jsonLine({ complete: true, rows: counts })
}

async function* csvFile({ name, columns, pages }: DataSet, counts: Counts): AsyncGenerator<Bytes> {
  const numeric = columns.map(({ isNumeric }) => isNumeric)
  counts[name] = 0
  yield utf8(byteOrderMark + csvLine(columns.map((column) => column.name)))
  for await (const lines of pages) {
    counts[name] += lines.length
    yield utf8(lines.map((line) => csvLine(parseCells(line, columns), numeric)).join(''))
  }
}

/** A file for each table, and `manifest.json` with the number of rows at the end. */
async function* csvFiles(ctx: Ctx<User>): AsyncGenerator<ZipEntry> {
  const counts: Counts = {}
  const head = headOf(ctx)
  for await (const set of dataSets(ctx, 'text')) yield { name: `${set.name}.csv`, chunks: csvFile(set, counts) }
  yield { name: 'manifest.json', chunks: [jsonLine({ ...head, complete: true, rows: counts })] }
}

/** Logs a failure in the middle, which the client sees as a response that breaks off. */
async function* logged({ log }: Ctx<User>, chunks: AsyncGenerator<Bytes>): AsyncGenerator<Bytes> {
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length
      yield chunk
    }
    log.info('export_finished', { bytes })
  } catch (error) {
    log.error('export_failed', { bytes, error })
    throw error
  }
}

export type ExportFormat = 'jsonl' | 'csv'

/**
 * Everything that is stored about the user. The export is in the audit trail before it begins. The stream fails where a
 * page cannot be read.
 */
export async function exportData(ctx: Ctx<User>, format: ExportFormat): Promise<ReadableStream<Bytes>> {
  const row = await audit(ctx, { action: 'data_exported', target: null })
  await recordExport(ctx.services.api, ctx.actor.identity, row)
  return streamOf(logged(ctx, format === 'csv' ? zip(csvFiles(ctx), ctx.now()) : jsonLines(ctx)))
}
