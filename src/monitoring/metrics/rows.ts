// The rows of the store: for each metric one row with its totals, and one for each minute. A row contains all series of its
// metric, because Cloudflare bills rows. Rows are held in memory while they change, and are written together.
import { addTo, type Cell, type Cells, type Delta, seriesKey } from './cells.ts'
import type { Point, Series, Total } from './types.ts'

/** The part of a Durable Object's SQLite that is used. */
export interface Sql {
  exec<Row extends Record<string, SqlStorageValue>>(
    query: string,
    ...values: SqlStorageValue[]
  ): { toArray(): Row[]; readonly rowsWritten: number }
}

const minute = 60_000
/** A day, and what a clock or a slow flush may be off. */
export const keptMs = 25 * 60 * minute
/** Isolates' clocks may differ by this much. */
const aheadMs = minute
/** Series of one row, and metrics of the store: two versions of the Worker may have different ones. */
export const mostSeriesOfRow = 500
export const mostNames = 200

interface Row {
  readonly cells: Cells
  isDirty: boolean
}

export interface Rows {
  /** Adds a point; false if it was refused or added up with others. */
  add(point: Point, nowMs: number): boolean
  /** Writes what changed and forgets minutes that no longer change. */
  write(nowMs: number): void
  read(sinceMs: number, names: readonly string[] | null): Series[]
  /** The series of one minute. */
  readMinute(minuteMs: number): Series[]
  totals(names: readonly string[] | null): Total[]
  /** Deletes minutes that are past their time. */
  clean(nowMs: number): void
}

const namePattern = /^[a-z][a-z0-9_]{0,99}$/
const mostLabels = 5
const mostLabelLength = 100

/** Points come from the Worker, of this version or another one. */
function isSound({ name, labels, sum, count, max, last, buckets }: Point): boolean {
  return (
    namePattern.test(name) &&
    Object.keys(labels).length <= mostLabels &&
    Object.values(labels).every((value) => typeof value === 'string' && value.length <= mostLabelLength) &&
    [sum, count, max, last, ...(buckets ?? [])].every(Number.isFinite) &&
    (buckets?.length ?? 0) <= 50
  )
}

const text = (cells: Cells): string => JSON.stringify([...cells.values()])

function cellsOf(stored: string | undefined): Cells {
  // Written by `text`, of this version or an older one.
  // oxlint-disable-next-line typescript/consistent-type-assertions -- this object is the only writer
  const cells = (stored === undefined ? [] : JSON.parse(stored)) as Cell[]
  return new Map(cells.map((cell) => [seriesKey(cell.labels), cell]))
}

const measured = (name: string, { labels, sum, count, max, last, buckets }: Cell) => ({
  name,
  labels,
  sum,
  count,
  max,
  last,
  ...(buckets === null ? {} : { buckets }),
})

export function createRows(sql: Sql): Rows {
  sql.exec('create table if not exists totals (name text primary key, cells text not null) without rowid')
  sql.exec(
    `create table if not exists minutes (name text not null, minute integer not null, cells text not null,
      primary key (name, minute)) without rowid`,
  )
  const totals = new Map<string, Row>()
  for (const { name, cells } of sql.exec<{ name: string; cells: string }>('select name, cells from totals').toArray())
    totals.set(name, { cells: cellsOf(cells), isDirty: false })
  /** By name, then by minute. */
  const minutes = new Map<string, Map<number, Row>>()

  const minuteRow = (name: string, minuteMs: number): Row => {
    const ofName = minutes.get(name) ?? new Map<number, Row>()
    minutes.set(name, ofName)
    const held = ofName.get(minuteMs)
    if (held !== undefined) return held
    const [stored] = sql
      .exec<{ cells: string }>('select cells from minutes where name = ? and minute = ?', name, minuteMs)
      .toArray()
    const row = { cells: cellsOf(stored?.cells), isDirty: false }
    ofName.set(minuteMs, row)
    return row
  }

  const totalRow = (name: string): Row | null => {
    const held = totals.get(name)
    if (held !== undefined || totals.size >= mostNames) return held ?? null
    const row = { cells: new Map(), isDirty: false }
    totals.set(name, row)
    return row
  }

  const addToRow = (row: Row, delta: Delta): boolean => {
    row.isDirty = true
    return addTo(row.cells, delta, mostSeriesOfRow)
  }

  const readRange = (name: string, firstMs: number, lastMs: number): Series[] =>
    sql
      .exec<{ minute: number; cells: string }>(
        'select minute, cells from minutes where name = ? and minute between ? and ? order by minute',
        name,
        firstMs,
        lastMs,
      )
      .toArray()
      .flatMap(({ minute: minuteMs, cells }) =>
        [...cellsOf(cells).values()].map((cell) => ({ ...measured(name, cell), minuteMs })),
      )

  return {
    add(point, nowMs) {
      const { name, labels, sum, count, max, last, buckets } = point
      const minuteMs = Math.min(point.minuteMs - (point.minuteMs % minute), nowMs + aheadMs)
      if (!isSound(point) || !(minuteMs >= nowMs - keptMs)) return false
      const total = totalRow(name)
      if (total === null) return false
      const lastMs = Math.min(point.lastMs ?? minuteMs, nowMs + aheadMs)
      const delta = { labels, sum, count, max, last, lastMs, ...(buckets === undefined ? {} : { buckets }) }
      const isKept = addToRow(total, delta)
      return addToRow(minuteRow(name, minuteMs - (minuteMs % minute)), delta) && isKept
    },

    write(nowMs) {
      for (const [name, row] of totals) {
        if (!row.isDirty) continue
        sql.exec('insert or replace into totals (name, cells) values (?, ?)', name, text(row.cells))
        row.isDirty = false
      }
      for (const [name, ofName] of minutes)
        for (const [minuteMs, row] of ofName) {
          if (row.isDirty)
            sql.exec(
              'insert or replace into minutes (name, minute, cells) values (?, ?, ?)',
              name,
              minuteMs,
              text(row.cells),
            )
          row.isDirty = false
          if (minuteMs < nowMs - 2 * minute) ofName.delete(minuteMs)
        }
    },

    read(sinceMs, names) {
      const firstMs = sinceMs - (sinceMs % minute)
      return (names ?? [...totals.keys()]).flatMap((name) => readRange(name, firstMs, Number.MAX_SAFE_INTEGER))
    },

    readMinute: (minuteMs) => [...totals.keys()].flatMap((name) => readRange(name, minuteMs, minuteMs)),

    totals: (names) =>
      [...totals]
        .filter(([name]) => names === null || names.includes(name))
        .flatMap(([name, { cells }]) =>
          [...cells.values()].map((cell) => ({ ...measured(name, cell), updatedMs: cell.lastMs })),
        ),

    clean: (nowMs) => {
      sql.exec('delete from minutes where minute < ?', nowMs - keptMs)
    },
  }
}
