// What the admin routes say about the first 24 hours after a deployment: error rates and times, alarms, syncs, webhooks,
// dead letters, Plaid's errors, backups and the security log.
import * as z from 'zod'
import { jsonOf } from '../lib/ask.ts'
import { type Check, fail, pass, type Verdict, warn } from '../lib/checks.ts'
import { gaugeOf, parseMetrics, type Point, sumOf } from './metrics.ts'
import { describeAnswer, type SmokePorts } from './target.ts'

const dayMs = 86_400_000
const pageSize = 500
const maxPages = 10
const meanSeconds = 2
/** Shares of failures. 99.9 % is the brief's criterion. */
const errorShares = { warns: 0.001, fails: 0.01 }
const syncShares = { warns: 0.05, fails: 0.2 }
const plaidShares = { warns: 0.05, fails: 0.2 }
const alarmsAgeMs = 15 * 60_000
const chainAgeMs = 15 * 60_000

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`

function byShare(share: number, limits: { warns: number; fails: number }, said: string, remedy: string): Verdict {
  if (share >= limits.fails) return fail(said, remedy)
  return share >= limits.warns ? warn(said, remedy) : pass(said)
}

async function get({ send, token, at, isLocal }: SmokePorts, path: string) {
  if (at.protocol !== 'https:' && !isLocal) throw new Error('the token was not sent over plain http')
  return await send(`/api/v1/admin/${path}`, { headers: { authorization: `Bearer ${token ?? ''}` } })
}

/** @throws Error if the route responds in another form */
async function read<Schema extends z.ZodType>(
  ports: SmokePorts,
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const answer = await get(ports, path)
  const parsed = schema.safeParse(jsonOf(answer))
  if (answer.status === 200 && parsed.success) return parsed.data
  const hint = answer.status === 403 ? ': the token is not an administrator’s' : ''
  throw new Error(`/api/v1/admin/${path} gives ${describeAnswer(answer)}${hint}`)
}

/** The rows of the last day, newest first, and whether there are more of them than were read. */
async function lastDay<Row>(ports: SmokePorts, path: string, row: z.ZodType<Row>, timeOf: (row: Row) => string) {
  const page = z.object({ data: z.array(row), next_cursor: z.string().nullable() })
  const since = ports.now().getTime() - dayMs
  const rows: Row[] = []
  let cursor: string | null = null
  for (let pages = 0; pages < maxPages; pages += 1) {
    const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { data, next_cursor: next } = await read(ports, `${path}?limit=${pageSize}${from}`, page)
    rows.push(...data.filter((one) => Date.parse(timeOf(one)) >= since))
    if (next === null || data.some((one) => Date.parse(timeOf(one)) < since)) return { rows, isAll: true }
    cursor = next
  }
  return { rows, isAll: false }
}

/** The metrics now, without what the file of an earlier reading had. */
async function metricsOf(ports: SmokePorts): Promise<{ points: Point[]; before: Point[] } | Verdict> {
  const answer = await get(ports, 'metrics')
  if (answer.status === 404 || answer.status === 503)
    return warn(
      `unknown: /api/v1/admin/metrics gives ${describeAnswer(answer)}`,
      'Look at the log lines `http_request`, or deploy a version with metrics.',
    )
  if (answer.status !== 200)
    return fail(`/api/v1/admin/metrics gives ${describeAnswer(answer)}`, 'Give an administrator’s token.')
  return { points: parseMetrics(answer.text), before: parseMetrics(ports.metricsBefore ?? '') }
}

const requests = 'wn_http_request_duration_seconds'

/** A counter that began again after the earlier reading counts from there. */
function increase(
  { points, before }: { points: Point[]; before: Point[] },
  name: string,
  matches?: (labels: Point['labels']) => boolean,
): number {
  const now = sumOf(points, name, matches)
  const then = sumOf(before, name, matches)
  return now >= then ? now - then : now
}

const since = (ports: SmokePorts): string =>
  ports.metricsBefore === undefined ? 'since the counters began' : 'since the earlier reading'

const errorRate: Check<SmokePorts> = {
  name: 'error rate',
  async check(ports) {
    const read_ = await metricsOf(ports)
    if ('status' in read_) return read_
    const all = increase(read_, `${requests}_count`)
    if (all === 0) return warn('unknown: no request was counted', 'Ask again when there was traffic.')
    const failed = increase(read_, `${requests}_count`, ({ status }) => status === '5xx')
    const share = failed / all
    const said = `${failed} of ${all} requests failed ${since(ports)} (${percent(share)})`
    return byShare(
      share,
      errorShares,
      said,
      'Look at the log lines with status 500 and above, then docs/deployment.md, rollback.',
    )
  },
}

const responseTimes: Check<SmokePorts> = {
  name: 'response times',
  async check(ports) {
    const read_ = await metricsOf(ports)
    if ('status' in read_) return read_
    const count = increase(read_, `${requests}_count`)
    if (count === 0) return warn('unknown: no request was counted', 'Ask again when there was traffic.')
    const mean = increase(read_, `${requests}_sum`) / count
    const slow = count - increase(read_, `${requests}_bucket`, ({ le }) => le === '2')
    const said = `${Math.round(mean * 1000)} ms on average ${since(ports)}, ${slow} of ${count} took over 2 s`
    if (mean >= meanSeconds) return fail(said, 'Look at the times of the database and of Plaid in the metrics.')
    return slow / count >= errorShares.fails
      ? warn(said, 'Look for the routes of the slow ones in the metrics.')
      : pass(said)
  },
}

const alarmsSchema = z.object({
  evaluated_at: z.string().nullable(),
  data: z.array(z.object({ name: z.string(), severity: z.string(), state: z.string(), runbook: z.string() })),
})

const alarms: Check<SmokePorts> = {
  name: 'alarms',
  async check(ports) {
    const answer = await get(ports, 'alarms')
    if (answer.status === 404)
      return warn('unknown: this version has no alarms', 'Watch the log, or deploy a version with alarms.')
    const parsed = alarmsSchema.safeParse(jsonOf(answer))
    if (answer.status !== 200 || !parsed.success)
      return fail(
        `/api/v1/admin/alarms gives ${describeAnswer(answer)}`,
        'Read the log: `npx wrangler tail --env ENV`.',
      )
    const { evaluated_at: at, data } = parsed.data
    if (at === null || ports.now().getTime() - Date.parse(at) > alarmsAgeMs)
      return fail(
        `they were evaluated last ${at ?? 'never'}`,
        'Look whether the crons run: Workers → Triggers → Cron events.',
      )
    const firing = data.filter(({ state }) => state === 'firing')
    if (firing.length === 0) return pass(`none of ${data.length} fires`)
    return fail(
      `firing: ${firing.map(({ name, severity }) => `${name} (${severity})`).join(', ')}`,
      firing.map(({ runbook }) => runbook).join(', '),
    )
  },
}

const runRow = z.object({ outcome: z.string(), error_code: z.string().nullable(), started_at: z.string() })

const syncs: Check<SmokePorts> = {
  name: 'sync jobs',
  async check(ports) {
    const { rows, isAll } = await lastDay(ports, 'sync/runs', runRow, ({ started_at: at }) => at)
    if (rows.length === 0)
      return warn(
        'no run within 24 hours',
        'That is right without items. Otherwise look whether the crons and the queue run.',
      )
    const failed = rows.filter(({ outcome }) => outcome === 'failed')
    const codes = [...new Set(failed.map(({ error_code: code }) => code ?? 'none'))].slice(0, 5).join(', ')
    const share = failed.length / rows.length
    const synced = await metricsOf(ports)
    const ratio = 'status' in synced ? null : gaugeOf(synced.points, 'wn_items_synced_day_ratio')
    const items = ratio === null ? '' : `; ${percent(ratio)} of the live items were read within 24 hours`
    const said =
      `${failed.length} of ${isAll ? '' : 'the newest '}${rows.length} runs failed (${percent(share)})` +
      `${codes === '' ? '' : `: ${codes}`}${items}`
    const remedy = 'docs/items.md explains the codes; GET /api/v1/admin/sync/runs?outcome=failed lists the runs.'
    if (ratio !== null && ratio < 1 - errorShares.fails && share < syncShares.fails) return warn(said, remedy)
    return byShare(share, syncShares, said, remedy)
  },
}

const webhookRow = z.object({ received_at: z.string() })
const itemRow = z.object({ missed_webhooks: z.number(), removed_at: z.string().nullable() })

const webhooks: Check<SmokePorts> = {
  name: 'webhook delivery',
  async check(ports) {
    const remedy = 'Run `npm run plaid:check`, and look at the firewall rule: docs/deployment.md.'
    const { rows, isAll } = await lastDay(ports, 'webhooks', webhookRow, ({ received_at: at }) => at)
    const page = z.object({ data: z.array(itemRow) })
    const { data } = await read(ports, `items?limit=${pageSize}`, page)
    const live = data.filter((item) => item.removed_at === null)
    const missed = live.filter((item) => item.missed_webhooks > 0).length
    if (rows.length === 0) {
      if (live.length === 0) return warn('none within 24 hours, and there is no item', 'Link one: docs/go-live.md.')
      return fail('none within 24 hours', remedy)
    }
    const said = `${isAll ? '' : 'over '}${rows.length} within 24 hours; ${missed} of ${live.length} items missed some`
    return missed > 0 ? warn(said, remedy) : pass(said)
  },
}

const letterPage = z.object({ data: z.array(z.object({ reason: z.string() })) })

const deadLetters: Check<SmokePorts> = {
  name: 'dead letters',
  async check(ports) {
    const { data } = await read(ports, `dead-letters?open=true&limit=${pageSize}`, letterPage)
    if (data.length === 0) return pass('none is open')
    return fail(
      `${data.length}${data.length === pageSize ? ' or more' : ''} are open`,
      'Find the cause, then replay them: POST /api/v1/admin/dead-letters/replay.',
    )
  },
}

const usageSchema = z.object({
  data: z.array(z.object({ endpoint: z.string(), outcome: z.string(), calls: z.number() })),
})

const plaidErrors: Check<SmokePorts> = {
  name: 'errors of Plaid',
  async check(ports) {
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)
    const now = ports.now().getTime()
    const { data } = await read(ports, `usage?from=${day(now - dayMs)}&to=${day(now)}`, usageSchema)
    const calls = data.reduce((sum, row) => sum + row.calls, 0)
    if (calls === 0) return warn('no call yesterday or today', 'That is right without items.')
    const failed = data.filter(({ outcome }) => outcome !== 'ok')
    const share = failed.reduce((sum, row) => sum + row.calls, 0) / calls
    const worst = failed.toSorted((one, other) => other.calls - one.calls).slice(0, 3)
    const names = worst.map(({ endpoint, outcome, calls: count }) => `${endpoint} ${outcome} ${count}×`).join(', ')
    const said = `${percent(share)} of ${calls} calls${names === '' ? '' : `: ${names}`}`
    return byShare(share, plaidShares, said, 'Look at https://status.plaid.com and at the codes in docs/items.md.')
  },
}

export const trafficChecks: readonly Check<SmokePorts>[] = [
  errorRate,
  responseTimes,
  alarms,
  syncs,
  webhooks,
  deadLetters,
  plaidErrors,
]

export { chainAgeMs, lastDay, read }
