// The first 24 hours after a deployment, as the admin routes report them. Each made-up response has the form of its route.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { trafficChecks } from '../../../../src/cli/smoke/after-deploy.ts'
import { recordChecks } from '../../../../src/cli/smoke/after-deploy-records.ts'
import { runChecks } from '../../../../src/cli/lib/checks.ts'
import { smokePorts, type SmokeTarget } from '../../../../src/cli/smoke/target.ts'
import { routes } from '../../../../src/http/app.ts'
import { type Answering, json, startAnswering } from '../../plaid/answering.ts'
import {
  type Responses,
  ago,
  alarmStates,
  auditRow,
  backupOf,
  backups,
  healthy,
  item,
  letter,
  list,
  metricsText,
  now,
  repeated,
  run,
  trail,
  usage,
  webhook,
} from './admin-responses.ts'

let server: Answering
let responses: Responses
beforeAll(async () => {
  server = await startAnswering()
})
afterAll(() => server.stop())
beforeEach(() => {
  responses = healthy
  server.answer((response, asked) => {
    const name = new URL(asked.path, 'http://x').pathname.replace('/api/v1/admin/', '')
    const given = responses[name] ?? 404
    const text = typeof given === 'string' ? given : JSON.stringify(given)
    if (typeof given === 'number') json('{"code":"not_found"}', given)(response, asked)
    else json(text)(response, asked)
  })
})

async function check(changed: Responses = {}, target: Partial<SmokeTarget> = {}) {
  responses = { ...healthy, ...changed }
  const ports = smokePorts({ url: server.url, token: 'admin-token', ...target }, () => now)
  const report = await runChecks([...trafficChecks, ...recordChecks], ports)
  return { ...report, found: Object.fromEntries(report.results.map((result) => [result.name, result])) }
}

describe('the checks after a deployment', () => {
  it('passes where everything is in order', async () => {
    const report = await check()
    expect(report.results.map(({ name, status, said }) => [name, status, said])).toEqual([
      ['error rate', 'pass', '1 of 10001 requests failed since the counters began (0.01 %)'],
      ['response times', 'pass', '100 ms on average since the counters began, 0 of 10001 took over 2 s'],
      ['alarms', 'pass', 'none of 1 fires'],
      ['sync jobs', 'pass', '0 of 20 runs failed (0.00 %); 100.00 % of the live items were read within 24 hours'],
      ['webhook delivery', 'pass', '7 within 24 hours; 0 of 1 items missed some'],
      ['dead letters', 'pass', 'none is open'],
      ['errors of Plaid', 'pass', '1.00 % of 100 calls: /transactions/sync INTERNAL_SERVER_ERROR 1×'],
      ['backups', 'pass', expect.stringContaining('one was restored on')],
      ['audit trail', 'pass', expect.stringContaining('valid on')],
      ['security log', 'pass', '1 rows within 24 hours'],
    ])
    expect(server.asked.every(({ headers }) => headers.authorization === 'Bearer admin-token')).toBe(true)
  })

  const share = (failed: number, all = 100) =>
    list(repeated(all, (index) => run(1, index < failed ? 'failed' : 'committed')))

  it.each<[string, string, string, Responses, string]>([
    ['error rate', 'warn', 'one in 500 failed', { metrics: metricsText(998, 2) }, '2 of 1000 requests failed'],
    ['error rate', 'fail', 'one in 100 failed', { metrics: metricsText(990, 10) }, '10 of 1000 requests failed'],
    ['error rate', 'warn', 'there was no request', { metrics: metricsText(0, 0) }, 'unknown'],
    ['error rate', 'warn', 'the version has no metrics', { metrics: 404 }, 'unknown: /api/v1/admin/metrics gives 404'],
    ['error rate', 'fail', 'the token is no administrator’s', { metrics: 403 }, 'gives 403'],
    ['response times', 'fail', 'the mean is 2 s', { metrics: metricsText(100, 0, 2) }, '2000 ms on average'],
    ['response times', 'warn', 'one in 50 is slow', { metrics: metricsText(100, 0, 0.1, 2) }, '2 of 100 took over 2 s'],
    ['response times', 'warn', 'there was no request', { metrics: metricsText(0, 0) }, 'unknown'],
    ['alarms', 'fail', 'one fires', { alarms: alarmStates('firing') }, 'firing: backup_overdue (page)'],
    ['alarms', 'fail', 'they are not evaluated', { alarms: alarmStates('ok', 1) }, 'evaluated last 2026-11-29T11:00'],
    ['alarms', 'fail', 'they never were', { alarms: alarmStates('ok', null) }, 'evaluated last never'],
    ['alarms', 'fail', 'the route fails', { alarms: 500 }, 'gives 500'],
    ['alarms', 'warn', 'the version has none', { alarms: 404 }, 'unknown'],
    [
      'sync jobs',
      'warn',
      'one in ten failed',
      { 'sync/runs': share(10) },
      '10 of 100 runs failed (10.00 %): ITEM_LOGIN_REQUIRED',
    ],
    ['sync jobs', 'fail', 'a fifth failed', { 'sync/runs': share(20) }, '20 of 100 runs failed'],
    ['sync jobs', 'warn', 'none ran', { 'sync/runs': list([run(25)]) }, 'no run within 24 hours'],
    [
      'sync jobs',
      'warn',
      'items are stale',
      { metrics: 'wn_items_synced_day_ratio 0.9\n' },
      '90.00 % of the live items',
    ],
    ['webhook delivery', 'fail', 'none arrived', { webhooks: list([webhook(30)]) }, 'none within 24 hours'],
    ['webhook delivery', 'warn', 'some were missed', { items: list([item(), item(3)]) }, '1 of 2 items missed some'],
    ['webhook delivery', 'warn', 'there is no item', { webhooks: list([]), items: list([]) }, 'there is no item'],
    ['dead letters', 'fail', 'one is open', { 'dead-letters': list([letter]) }, '1 are open'],
    ['errors of Plaid', 'warn', 'a tenth failed', { usage: usage(90, 10) }, '10.00 % of 100 calls'],
    ['errors of Plaid', 'fail', 'half failed', { usage: usage(50, 50) }, '50.00 % of 100 calls'],
    ['errors of Plaid', 'warn', 'there was no call', { usage: usage(0, 0) }, 'no call'],
    ['backups', 'fail', 'there is none', { backups: backups({ last_backup: null }) }, 'there is none'],
    [
      'backups',
      'fail',
      'it is overdue',
      { backups: backups({ overdue: true, last_backup: backupOf(40, null) }) },
      'is of',
    ],
    ['backups', 'warn', 'none was restored', { backups: backups({ last_verified: null }) }, 'none was ever restored'],
    [
      'backups',
      'warn',
      'the last restoration is old',
      { backups: backups({ last_verified: backupOf(1, 24 * 91) }) },
      'restored last on',
    ],
    ['backups', 'warn', 'they are made elsewhere', { backups: backups({ enabled: false }) }, 'unknown'],
    ['audit trail', 'fail', 'it has a fault', { 'audit/verify': trail({}, { valid: false }) }, 'found a fault'],
    [
      'audit trail',
      'fail',
      'rows wait',
      { 'audit/verify': trail({ waiting: 3, waiting_since: ago(1) }) },
      '3 rows wait',
    ],
    ['audit trail', 'warn', 'it was never verified', { 'audit/verify': trail({}, null) }, 'never verified'],
    [
      'audit trail',
      'warn',
      'that is long ago',
      { 'audit/verify': trail({}, { verified_at: ago(24 * 31) }) },
      'verified last on',
    ],
    [
      'security log',
      'warn',
      'a user became administrator',
      { audit: list([auditRow('admin_granted')]) },
      '1 × admin_granted',
    ],
    [
      'security log',
      'warn',
      'many sign-ins failed',
      { audit: list(repeated(50, () => auditRow('sign_in_refused'))) },
      '50 × sign_in_refused',
    ],
  ])('%s: %s where %s', async (name, status, _what, changed, said) => {
    const result = (await check(changed)).found[name]
    expect(result).toMatchObject({ status, said: expect.stringContaining(said), remedy: expect.stringMatching(/\w/) })
  })

  it.each(Object.keys(healthy).filter((name) => name !== 'metrics' && name !== 'alarms'))(
    'a failure of /api/v1/admin/%s, or a response of another form, is no pass',
    async (name) => {
      for (const response of [500, {}, '<html>']) {
        const report = await check({ [name]: response })
        expect(report.results.filter(({ status }) => status === 'fail').length).toBe(1)
      }
    },
  )

  it('counts from the earlier reading of the metrics', async () => {
    const before = { metricsBefore: metricsText(1000, 100) }
    const better = await check({ metrics: metricsText(3000, 100) }, before)
    expect(better.found['error rate']).toMatchObject({
      status: 'pass',
      said: expect.stringContaining('0 of 2000 requests'),
    })
    const restarted = await check({ metrics: metricsText(500, 0) }, before)
    expect(restarted.found['error rate']?.said).toContain('0 of 500 requests failed since the earlier reading')
  })

  it('reads on until a row is older than a day', async () => {
    const pages = [
      list(
        repeated(500, () => auditRow('signed_in')),
        'next',
      ),
      list([auditRow('signed_in', 25)]),
    ]
    let page = 0
    responses = { ...healthy }
    server.answer((response, asked) => json(JSON.stringify(pages[page++]))(response, asked))
    const ports = smokePorts({ url: server.url, token: 'admin-token' }, () => now)
    const report = await runChecks(
      recordChecks.filter(({ name }) => name === 'security log'),
      ports,
    )
    expect(report.results[0]?.said).toBe('500 rows within 24 hours')
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/api/v1/admin/audit?limit=500',
      '/api/v1/admin/audit?limit=500&cursor=next',
    ])
  })

  it('sends the token over plain http to no other machine', async () => {
    const ports = smokePorts({ url: 'http://127.0.0.2:9', token: 'admin-token' }, () => now)
    const report = await runChecks([...trafficChecks, ...recordChecks], ports)
    expect(report.results).toHaveLength(10)
    expect(new Set(report.results.map(({ status, said }) => `${status} ${said}`))).toEqual(
      new Set(['fail the token was not sent over plain http']),
    )
  })
})

describe('a made-up response', () => {
  const schemaOf = (name: string): z.ZodType | null => {
    const route = routes.find(({ method, path }) => method === 'GET' && path === `/api/v1/admin/${name}`)
    const schema: unknown = route?.answers[200]
    return schema instanceof z.ZodType ? schema : null
  }

  it.each(['sync/runs', 'webhooks', 'items', 'dead-letters', 'usage', 'backups', 'audit/verify', 'alarms'])(
    'has the form of /api/v1/admin/%s',
    (name) => {
      expect(schemaOf(name)?.safeParse(healthy[name])).toMatchObject({ success: true })
    },
  )
})
