// How many rows of a table are in memory, and that none is left out.
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/backup/connection.ts'
import { readRows } from '../../../src/backup/read-rows.ts'

const rowsOf = (count: number, length: number): number[] => Array.from({ length: count }, () => length)

const table = { schema: 'public', name: 't', columns: ['id'], key: ['id'] }

/** A table whose rows have these lengths. `fetched` lists how many characters each round trip returned. */
function tableOf(lengths: readonly number[]) {
  const lines = lengths.map((length) => 'x'.repeat(length))
  const fetched: number[] = []
  let at = 0
  const connection: Connection = {
    query: (text) => {
      const count = /^fetch forward (\d+) /.exec(text)?.[1]
      if (count === undefined) return Promise.resolve({ rows: [] })
      const page = lines.slice(at, (at += Number(count)))
      fetched.push(page.reduce((sum, line) => sum + line.length, 0))
      return Promise.resolve({ rows: page.map((line) => ({ line })) })
    },
  }
  return { connection, fetched, text: lines.map((line) => `${line}\n`).join('') }
}

async function readAll(connection: Connection): Promise<{ text: string; rows: number }> {
  let [text, rows] = ['', 0]
  for await (const piece of readRows(connection, table)) {
    text += piece.text
    rows += piece.rows
  }
  return { text, rows }
}

describe('the rows of a table', () => {
  it.each([
    ['none', []],
    ['one', [10]],
    ['exactly a first page', rowsOf(100, 10)],
    ['narrow ones and then wide ones', [...rowsOf(3000, 700), ...rowsOf(60, 90_000)]],
  ])('are all read, in their order: %s', async (_what, lengths) => {
    const { connection, text } = tableOf(lengths)
    expect(await readAll(connection)).toEqual({ text, rows: lengths.length })
  })

  it('come in pages of about the same length, however wide they are', async () => {
    const wide = tableOf(rowsOf(400, 50_000))
    await readAll(wide.connection)
    // The first page of a table does not know.
    expect(Math.max(...wide.fetched.slice(1))).toBeLessThanOrEqual(400_000)
    const narrow = tableOf(rowsOf(4000, 700))
    await readAll(narrow.connection)
    expect(narrow.fetched.length).toBeLessThan(14)
  })
})
