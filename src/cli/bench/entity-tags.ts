// What an entity tag saves and costs: a 304 against the list, the list for a client with an old tag, and the read of the counter in
// the transaction of each list. The sides take turns. Uses the built Worker over HTTP; rate limits are off.
import * as z from 'zod'
import { LOCAL_ISSUER } from '../../auth/access-token.ts'
import { listTransactions } from '../../db/records/transactions.ts'
import { bankRows, makeItem } from './bank-rows.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'
import { copyIn, copyText, storedRows } from './stored-row.ts'
import { type StackWorker, startWholeStack, type WholeStack } from './whole-stack.ts'

const sizes = [100, 500] as const
const rowCount = 20_000
const rounds = 200
const warmUps = 20
const subject = 'reader'

/** Adds a user with transactions. */
async function fill({ database: { owner } }: WholeStack): Promise<void> {
  const item = await makeItem(owner, subject)
  await copyIn(owner, copyText(storedRows(item, bankRows(rowCount))))
  await owner.query('update users set issuer = $1 where id = $2', [LOCAL_ISSUER, item.userId])
  await owner.query('vacuum analyze')
}

const sides = ['list', 'current', 'old'] as const
type Side = (typeof sides)[number]

const page = z.object({ data: z.array(z.unknown()) })

/** Milliseconds until the client has read the whole response. */
async function timed(worker: StackWorker, size: number, side: Side, tag: string): Promise<number> {
  const ifNoneMatch = { list: null, current: tag, old: 'W/"an old tag"' }[side]
  const started = performance.now()
  const response = await worker.getAs(
    subject,
    `/api/v1/transactions?limit=${size}`,
    ifNoneMatch === null ? {} : { 'if-none-match': ifNoneMatch },
  )
  const text = await response.text()
  const spent = performance.now() - started
  const rows = response.status === 304 ? 0 : page.parse(JSON.parse(text)).data.length
  if (response.status !== (side === 'current' ? 304 : 200) || rows !== (side === 'current' ? 0 : size))
    throw new Error(`The Worker answered ${response.status} with ${rows} rows.`)
  return spent
}

async function tagOf(worker: StackWorker, size: number): Promise<string> {
  const response = await worker.getAs(subject, `/api/v1/transactions?limit=${size}`)
  await response.text()
  return z.string().parse(response.headers.get('etag'))
}

/** Runs the sides in turn, in both orders. */
async function inTurns<Name extends string>(
  names: readonly Name[],
  signal: AbortSignal,
  measure: (name: Name) => Promise<number>,
): Promise<(name: Name) => number> {
  const times = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = -warmUps; round < rounds; round += 1) {
    signal.throwIfAborted()
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const spent = await measure(name)
      if (round >= 0) times.get(name)?.push(spent)
    }
  }
  return (name) => median(times.get(name) ?? [])
}

function resultOf(name: string, value: number, against: number, most: number | null): Result {
  const ratio = value / against
  return {
    name: `entity-tags: ${name}`,
    value: rounded(value),
    unit: 'ms',
    against: rounded(against),
    ratio: rounded(ratio),
    target: most === null ? 'none' : `< ${most} times`,
    ok: most === null || ratio < most,
  }
}

/** The statements of a page, with and without the read of the counter. */
async function counterResult({ database }: WholeStack, signal: AbortSignal): Promise<Result> {
  const identity = { issuer: LOCAL_ISSUER, subject }
  const counting = { ...database.api, onCounter: () => undefined }
  const spent = await inTurns(['with', 'without'], signal, (side) =>
    database.directly(async () => {
      await listTransactions(side === 'with' ? counting : database.api, identity, {}, 100, null)
    }),
  )
  return resultOf('statements of a list of 100 with the counter, against without', spent('with'), spent('without'), 1.2)
}

export const entityTagsBenchmark: Benchmark = {
  async run(say, signal) {
    const stack = await startWholeStack(say, signal)
    try {
      const worker = await stack.startWorker(stack.entry)
      await fill(stack)
      const results: Result[] = []
      for (const size of sizes) {
        say(`reading lists of ${size}`)
        const tag = await tagOf(worker, size)
        const spent = await inTurns(sides, signal, (side) => timed(worker, size, side, tag))
        results.push(
          resultOf(`304, against a list of ${size}`, spent('current'), spent('list'), 1),
          resultOf(`list of ${size} for an old tag, against without`, spent('old'), spent('list'), null),
        )
      }
      return [...results, await counterResult(stack, signal)]
    } finally {
      await stack.stop()
    }
  },
}
