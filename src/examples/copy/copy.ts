// Keeps a copy of a user's data in SQLite by the change feed. Run it as often as you like: it reads what has changed since.
import { DatabaseSync } from 'node:sqlite'
import { createClient, FeedExpiredError, type FeedPage } from '@wealthnavigator/client'

const { WN_API_URL: baseUrl = 'http://127.0.0.1:8787', WN_API_KEY: apiKey = '', WN_USER: user = 'user-1' } = process.env
const client = createClient({ baseUrl, apiKey, user })

const db = new DatabaseSync(process.env['COPY'] ?? 'copy.sqlite', { timeout: 10_000 })
db.exec(`
  create table if not exists rows (kind text, id text, row text not null, primary key (kind, id)) strict;
  create table if not exists place (id integer primary key check (id = 1), since text not null) strict;
  insert into place values (1, '0') on conflict do nothing;
`)
const place = db.prepare('select since from place')
const move = db.prepare('update place set since = ? where since = ?')
const upsert = db.prepare('insert into rows values (?, ?, ?) on conflict do update set row = excluded.row')
const remove = db.prepare('delete from rows where kind = ? and id = ?')
const since = (): string => String(place.get()?.['since'])

/** Changes the copy and its place together. If the process dies in between, SQLite undoes both. */
function store(from: string, to: string, change: () => void): void {
  db.exec('begin immediate')
  try {
    if (move.run(to, from).changes !== 1) throw new Error('Another process has moved the copy on.')
    change()
    db.exec('commit')
  } catch (error) {
    db.exec('rollback')
    throw error
  }
}

function apply({ data }: FeedPage): void {
  for (const change of data) {
    if (change.op === 'remove') remove.run(change.kind, change.id)
    else upsert.run(change.kind, change.id, JSON.stringify(change))
  }
}

async function update(): Promise<void> {
  for await (const page of client.changes({ since: since(), limit: 500 }))
    store(since(), page.next_since, () => apply(page))
}

async function run(): Promise<void> {
  try {
    await update()
  } catch (error) {
    if (!(error instanceof FeedExpiredError)) throw error
    // The feed no longer lists what the copy lacks, as after a restore of the API's database.
    store(since(), error.beginAt, () => db.exec('delete from rows'))
    await update()
  }
}

try {
  await run()
  const counts = db.prepare('select kind, count(*) as count from rows group by kind order by kind').all()
  process.stdout.write(`${counts.map(({ kind, count }) => `${String(count)} ${String(kind)}`).join(', ')}\n`)
} catch (error) {
  // The next run continues at the stored place.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
db.close()
