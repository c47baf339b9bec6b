// A user's rules for transactions: each change is recorded, and announced to the user's live sockets.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { applyRules, type AppliedStep } from '../db/records/apply-rules.ts'
import {
  deleteRule,
  insertRule,
  mostRules,
  orderRules,
  replaceRule,
  type Rule,
  type RuleContent,
} from '../db/records/rules.ts'
import { AppError } from '../errors.ts'
import { announceOwn } from '../live/announce.ts'

const noSuchRule = (): AppError => new AppError('not_found', 'There is no such rule.')
/** The same for an account of another user and for one that does not exist. */
export const noSuchAccount = (): AppError =>
  new AppError('validation_failed', 'The request body is not valid.', {
    fields: [{ pointer: '/account_id', detail: 'Must be an account of the user.' }],
  })

/**
 * Adds a rule after all others.
 * @throws AppError `validation_failed` for an account that the user does not have; `conflict` beyond the limit
 */
export async function createRule(ctx: Ctx<User>, content: RuleContent): Promise<Rule> {
  const { services, actor } = ctx
  const id = services.newId()
  const row = await audit(ctx, { action: 'rule_created', target: id })
  const rule = await insertRule(services.api, actor.identity, id, content, row)
  if (rule === null) throw noSuchAccount()
  if (rule === 'full') throw new AppError('conflict', `A user can have ${mostRules} rules. Delete one first.`)
  await announceOwn(ctx, [])
  return rule
}

/** @throws AppError `not_found`; `validation_failed` for an account that the user does not have */
export async function changeRule(ctx: Ctx<User>, id: string, content: RuleContent): Promise<Rule> {
  const row = await audit(ctx, { action: 'rule_changed', target: id })
  const rule = await replaceRule(ctx.services.api, ctx.actor.identity, id, content, row)
  if (rule === null) throw noSuchRule()
  if (rule === 'account') throw noSuchAccount()
  await announceOwn(ctx, [])
  return rule
}

/** @throws AppError `not_found` */
export async function removeRule(ctx: Ctx<User>, id: string): Promise<void> {
  const row = await audit(ctx, { action: 'rule_deleted', target: id })
  if (!(await deleteRule(ctx.services.api, ctx.actor.identity, id, row))) throw noSuchRule()
  await announceOwn(ctx, [])
}

/** @throws AppError `validation_failed` unless `ids` are those of all rules, each once */
export async function setOrder(ctx: Ctx<User>, ids: readonly string[]): Promise<readonly Rule[]> {
  const row = await audit(ctx, { action: 'rules_ordered', target: null })
  const ordered = await orderRules(ctx.services.api, ctx.actor.identity, ids, row)
  if (ordered === null)
    throw new AppError('validation_failed', 'The request body is not valid.', {
      fields: [{ pointer: '/ids', detail: 'Must be the ids of all rules of the user, each once.' }],
    })
  await announceOwn(ctx, [])
  return ordered
}

/** One step over the stored transactions. */
export async function applyToStored(ctx: Ctx<User>, after: readonly [string, string] | null): Promise<AppliedStep> {
  const row = await audit(ctx, { action: 'rules_applied', target: null })
  const step = await applyRules(ctx.services.api, ctx.actor.identity, after, row)
  if (step.changed > 0) await announceOwn(ctx, [])
  return step
}
