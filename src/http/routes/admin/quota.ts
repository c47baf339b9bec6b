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

const freesAt = instant.nullable()

const plaidLimitSchema = z
  .object({
    limit: z.string(),
    responded: z.boolean(),
    client: z.object({
      most: z.int(),
      used: z.int().nullable(),
      frees_at: freesAt,
    }),
    item: z.object({
      most: z.int(),
      busiest: z.array(z.object({ item_id: id, used: z.int(), frees_at: freesAt })),
    }),
    day: z
      .object({
        most: z.int(),
        resets_at: instant,
        busiest: z.array(z.object({ endpoint: z.string(), item_id: id, calls: z.int() })),
      })
      .nullable(),
    refused: z.array(
      z.object({
        endpoint: z.string(),
        item_id: id.nullable(),
        until: instant,
      }),
    ),
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
    policy: z.string(),
    most: z.int(),
    window_seconds: z.int(),
    refused_hour: z.int().nullable(),
  })
  .meta({ id: 'RequestLimit' })

const quotaSchema = z
  .object({
    plaid: z.array(plaidLimitSchema).nullable(),
    requests: z.array(requestLimitSchema).nullable(),
    password_hashes: z
      .object({
        most: z.int(),
        used: z.int().nullable(),
      })
      .nullable(),
    links: z.object({
      items_per_user: z.int(),
      links_per_day: z.int(),
    }),
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
