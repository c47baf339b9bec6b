// For administrators: how much of each limit is used now: Plaid's, and those of this deployment. No amounts, no names.
import * as z from 'zod'
import type { Ctx } from '../../../context.ts'
import type { LimitLook } from '../../../plaid/rate-limit/look.ts'
import { policyLimits } from '../../../ratelimit/policies.ts'
import { route } from '../../route.ts'
import { id, instant, timeText } from '../../schemas.ts'
import { readMetrics } from './read-metrics.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const usedSchema = z.int().describe('Calls that count now; an upper bound after the object that counts was evicted.')
const freesAt = instant.nullable().describe('When the oldest of these calls no longer counts; null for none.')

const plaidLimitSchema = z
  .object({
    limit: z.string().describe('The name of the limit, as in `PLAID_LIMITS`.'),
    responded: z
      .boolean()
      .describe('Whether the object that counts the limit responded. If not, what is used is not known.'),
    client: z
      .object({
        most: z.int().describe('Calls of the client in a minute; background calls use at most 80 % of them.'),
        used: usedSchema.nullable().describe('Those that count now, or an upper bound; null if that is not known.'),
        frees_at: freesAt,
      })
      .describe('All calls of this Plaid client.'),
    item: z
      .object({
        most: z.int().describe('Calls of one item in a minute.'),
        busiest: z
          .array(z.object({ item_id: id, used: usedSchema, frees_at: freesAt }))
          .describe('The ten items with the most calls now.'),
      })
      .describe('Calls of each item.'),
    day: z
      .object({
        most: z.int().describe('Billed calls of an item and endpoint on a UTC day; this deployment’s own limit.'),
        resets_at: instant.describe('When the day ends.'),
        busiest: z
          .array(z.object({ endpoint: z.string().describe('The endpoint of Plaid.'), item_id: id, calls: z.int() }))
          .describe('The ten items with the most billed calls today.'),
      })
      .nullable()
      .describe('Only of endpoints that Plaid bills for each call.'),
    refused: z
      .array(
        z.object({
          endpoint: z.string().describe('The endpoint of Plaid.'),
          item_id: id.nullable().describe('The item; null if no item may be read.'),
          until: instant.describe('No call is made before.'),
        }),
      )
      .describe('What Plaid refused with 429, and until when.'),
  })
  .meta({ id: 'PlaidLimit' })

const ofDay = (calls: readonly { path: string; itemId: string | null; calls: number }[]) =>
  calls.flatMap(({ path, itemId, calls: count }) =>
    itemId === null ? [] : [{ endpoint: path, item_id: itemId, calls: count }],
  )
const timeOf = (ms: number | null): string | null => (ms === null ? null : timeText(new Date(ms)))

function plaidLimitView(
  { name, client, item, day, state }: LimitLook,
  nowMs: number,
): z.input<typeof plaidLimitSchema> {
  return {
    limit: name,
    responded: state !== null,
    client: { most: client, used: state?.client.used ?? null, frees_at: timeOf(state?.client.freesAtMs ?? null) },
    item: {
      most: item,
      busiest: (state?.items ?? []).map(({ itemId, used, freesAtMs }) => ({
        item_id: itemId,
        used,
        frees_at: timeOf(freesAtMs),
      })),
    },
    day:
      day === null
        ? null
        : {
            most: day,
            resets_at: timeText(new Date(nowMs - (nowMs % dayMs) + dayMs)),
            busiest: ofDay(state?.days ?? []),
          },
    refused: (state?.closed ?? []).map(({ path, itemId, untilMs }) => ({
      endpoint: path,
      item_id: itemId,
      until: timeText(new Date(untilMs)),
    })),
  }
}

const requestLimitSchema = z
  .object({
    policy: z.string().describe('The name of the limit, as in `RATE_LIMITS` and in `RateLimit-Policy`.'),
    most: z.int().describe('Requests of one user, address or key in the window.'),
    window_seconds: z.int().describe('The length of the window.'),
    refused_hour: z
      .int()
      .nullable()
      .describe('Requests that it refused in the last hour, of all users and addresses; null if that is not known.'),
  })
  .meta({ id: 'RequestLimit' })

const quotaSchema = z
  .object({
    plaid: z
      .array(plaidLimitSchema)
      .nullable()
      .describe('Plaid’s limits; null where they are not counted, because `PLAID_QUOTA` is not bound.'),
    requests: z
      .array(requestLimitSchema)
      .nullable()
      .describe('The limits of requests to this API; null with `RATE_LIMIT_ENABLED=false`.'),
    password_hashes: z
      .object({
        most: z.int().describe('Password checks of unknown clients in a minute: `AUTH_HASHES_PER_MINUTE`.'),
        used: usedSchema.nullable().describe('Those of the last minute; null if that is not known.'),
      })
      .nullable()
      .describe('Null without built-in accounts or without limits.'),
    links: z
      .object({
        items_per_user: z.int().describe('`MAX_ITEMS_PER_USER`.'),
        links_per_day: z.int().describe('`MAX_LINKS_PER_DAY`, of each user.'),
      })
      .describe('How much one user may link.'),
  })
  .meta({ id: 'Quota' })

/** Refusals of the last hour by policy; null if the metrics cannot be read. */
async function refusalsOf(ctx: Ctx, sinceMs: number): Promise<ReadonlyMap<string, number> | null> {
  const names = ['wn_rate_limit_refusals_total']
  // The limits are shown all the same. The failure is logged.
  const series = await readMetrics(ctx, (store) => store.read({ sinceMs, names })).catch(() => null)
  if (series === null) return null
  const counts = new Map<string, number>()
  for (const { labels, sum } of series) {
    const policy = labels['policy'] ?? ''
    counts.set(policy, (counts.get(policy) ?? 0) + sum)
  }
  return counts
}

async function requestLimits(ctx: Ctx, nowMs: number): Promise<z.input<typeof quotaSchema>['requests']> {
  const { limiter, config } = ctx.services
  if (limiter === null) return null
  const refused = await refusalsOf(ctx, nowMs - hourMs)
  return policyLimits(config.rateLimits.quotas).map(({ policy, quota, windowMs }) => ({
    policy,
    most: quota,
    window_seconds: windowMs / 1000,
    refused_hour: refused === null ? null : (refused.get(policy) ?? 0) + (refused.get(`${policy}_network`) ?? 0),
  }))
}

async function passwordHashes({ services, log }: Ctx): Promise<z.input<typeof quotaSchema>['password_hashes']> {
  const { limiter, config } = services
  if (limiter === null || config.auth.mode !== 'builtin') return null
  const most = config.auth.hashesPerMinute
  try {
    return { most, used: (await limiter.countsOf(limiter.policies.ofAllHashes(most)))[0] ?? 0 }
  } catch (error) {
    log.warn('password_hashes_unknown', { error })
    return { most, used: null }
  }
}

export const quotaRoute = route({
  id: 'adminGetQuota',
  method: 'GET',
  path: '/api/v1/admin/quota',
  summary: 'Get the use of limits',
  tags: ['admin'],
  access: 'admin',
  answers: { 200: quotaSchema },
  errors: [],
}).handle(async (ctx) => {
  const { lookAtPlaidLimits, config } = ctx.services
  const nowMs = ctx.now().getTime()
  const [looked, requests, hashes] = await Promise.all([
    lookAtPlaidLimits === null ? null : lookAtPlaidLimits(),
    requestLimits(ctx, nowMs),
    passwordHashes(ctx),
  ])
  const { itemsPerUser, linksPerDay } = config.linking
  return {
    status: 200,
    body: {
      plaid: looked === null ? null : looked.map((limit) => plaidLimitView(limit, nowMs)),
      requests,
      password_hashes: hashes,
      links: { items_per_user: itemsPerUser, links_per_day: linksPerDay },
    },
  }
})
