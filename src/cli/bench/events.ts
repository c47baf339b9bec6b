// What events add to the commit of 500 new transactions: with no endpoint, with one of the user, and with one of the
// application of the user, each against the same commit with the triggers off. The four take turns, each time for a new user,
// among endpoints of 200 other applications.
import { bankRows, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'
import { fillWithOthers, prepareCommit } from './stored-commit.ts'

const size = 500
const rounds = 40
const warmUps = 3
const most = 0.05

/** Who has an endpoint that gets the event; `off`: the triggers are disabled. */
const variants = ['off', 'no_endpoint', 'endpoint', 'application'] as const
type Variant = (typeof variants)[number]
const names = { no_endpoint: 'no endpoint', endpoint: 'one endpoint', application: 'one of an application' } as const

/** The application of the users of the variant `application`, and others. */
const addApplications = `with a as (insert into applications (id, name, issuer)
    select gen_random_uuid(), 'app', 'bench ' || n from generate_series(0, 200) n returning id)
  insert into webhook_endpoints (application_id, url, secret_sealed, state)
  select id, 'https://app.example.com', '', 'enabled' from a`

const triggers = [
  ['users', 'users_emit_changes'],
  ['items', 'items_emit_update'],
  ['sync_runs', 'sync_runs_emit'],
] as const

/** The milliseconds of one commit, of a new user. */
async function timed(database: ScratchDatabase, rows: ReturnType<typeof bankRows>, variant: Variant): Promise<number> {
  const { owner } = database
  const item = await makeItem(owner, crypto.randomUUID())
  if (variant === 'endpoint')
    await owner.query(
      `insert into webhook_endpoints (user_id, url, secret_sealed, state) values ($1, 'https://app.example.com', '', 'enabled')`,
      [item.userId],
    )
  if (variant === 'application') await owner.query(`update users set issuer = 'bench 0' where id = $1`, [item.userId])
  for (const [table, name] of triggers)
    await owner.query(`alter table ${table} ${variant === 'off' ? 'disable' : 'enable'} trigger ${name}`)
  return await database.directly(await prepareCommit(database, item, rows))
}

async function measure(database: ScratchDatabase, signal: AbortSignal): Promise<Result[]> {
  const rows = bankRows(size)
  const times: Readonly<Record<Variant, number[]>> = { off: [], no_endpoint: [], endpoint: [], application: [] }
  // The first rounds warm the caches. Each variant is first, second and last equally often.
  for (let round = -warmUps; round < rounds; round += 1) {
    signal.throwIfAborted()
    for (let turn = 0; turn < variants.length; turn += 1) {
      const variant = variants[(round + warmUps + turn) % variants.length] ?? 'off'
      const time = await timed(database, rows, variant)
      if (round >= 0) times[variant].push(time)
    }
  }
  return (['no_endpoint', 'endpoint', 'application'] as const).map((variant) => {
    const added = median(times[variant].map((time, index) => time - (times.off[index] ?? NaN)))
    const ratio = added / median(times.off)
    return {
      name: `events: commit of ${size}, ${names[variant]}`,
      value: rounded(median(times[variant])),
      unit: 'ms',
      against: rounded(median(times.off)),
      ratio: rounded(1 + ratio),
      target: `< ${most * 100} % more, median of the rounds`,
      ok: ratio < most,
    }
  })
}

export const eventsBenchmark: Benchmark = {
  async run(say, signal) {
    const database = await startScratchDatabase()
    try {
      await fillWithOthers(database.owner)
      await database.owner.query(addApplications)
      say(`committing ${size}, ${rounds} rounds of four`)
      const results = await measure(database, signal)
      const written = await database.owner.query<{ n: number }>('select count(*)::int as n from webhook_deliveries')
      // Otherwise the triggers did not run, and nothing was measured.
      if ((written.rows[0]?.n ?? 0) < 2 * rounds) throw new Error('The commits wrote no events.')
      return results
    } finally {
      await database.stop()
    }
  },
}
