// A user's rules for transactions: their order, a preview, and their application to stored transactions.
import * as z from 'zod'
import { previewed, previewRule, stepRows } from '../../db/records/apply-rules.ts'
import { listRules, mostRules } from '../../db/records/rules.ts'
import { AppError } from '../../errors.ts'
import { applyToStored, changeRule, createRule, noSuchAccount, removeRule, setOrder } from '../../rules/manage-rules.ts'
import { keyCursor } from '../pagination.ts'
import { route } from '../route.ts'
import {
  contentOf,
  contentSchema,
  contentShape,
  hasAction,
  hasCondition,
  isRange,
  ruleSchema,
  rulesSchema,
  ruleView,
} from '../rule-schemas.ts'
import { day, id } from '../schemas.ts'

const tags = ['rules']
const path = '/api/v1/rules'
const params = z.object({ id })

export const listRulesRoute = route({
  id: 'listRules',
  method: 'GET',
  path,
  summary: 'List rules',
  tags,
  access: 'user',
  answers: { 200: rulesSchema },
  errors: [],
}).handle(async ({ services, actor }) => ({
  status: 200,
  body: { data: (await listRules(services.api, actor.identity)).map(ruleView) },
}))

export const createRuleRoute = route({
  id: 'createRule',
  audit: ['rule_created'],
  method: 'POST',
  path,
  summary: 'Create a rule',
  tags,
  access: 'user',
  body: contentSchema,
  answers: { 201: ruleSchema },
  errors: ['conflict'],
}).handle(async (ctx, { body }) => ({ status: 201, body: ruleView(await createRule(ctx, contentOf(body))) }))

export const getRuleRoute = route({
  id: 'getRule',
  method: 'GET',
  path: `${path}/{id}`,
  summary: 'Get a rule',
  tags,
  access: 'user',
  params,
  answers: { 200: ruleSchema },
  errors: ['not_found'],
}).handle(async ({ services, actor }, input) => {
  const rule = (await listRules(services.api, actor.identity)).find((each) => each.id === input.params.id)
  if (rule === undefined) throw new AppError('not_found', 'There is no such rule.')
  return { status: 200, body: ruleView(rule) }
})

export const replaceRuleRoute = route({
  id: 'replaceRule',
  audit: ['rule_changed'],
  method: 'PUT',
  path: `${path}/{id}`,
  summary: 'Change a rule',
  tags,
  access: 'user',
  params,
  body: contentSchema,
  answers: { 200: ruleSchema },
  errors: ['not_found'],
}).handle(async (ctx, { params: { id: ruleId }, body }) => ({
  status: 200,
  body: ruleView(await changeRule(ctx, ruleId, contentOf(body))),
}))

export const deleteRuleRoute = route({
  id: 'deleteRule',
  audit: ['rule_deleted'],
  method: 'DELETE',
  path: `${path}/{id}`,
  summary: 'Delete a rule',
  tags,
  access: 'user',
  params,
  answers: { 204: null },
  errors: ['not_found'],
}).handle(async (ctx, input) => {
  await removeRule(ctx, input.params.id)
  return { status: 204 }
})

export const orderRulesRoute = route({
  id: 'orderRules',
  audit: ['rules_ordered'],
  method: 'PUT',
  path: `${path}/order`,
  summary: 'Order the rules',
  tags,
  access: 'user',
  body: z.strictObject({ ids: z.array(id).min(1).max(mostRules) }),
  answers: { 200: rulesSchema },
  errors: [],
}).handle(async (ctx, { body }) => ({
  status: 200,
  body: { data: (await setOrder(ctx, body.ids)).map(ruleView) },
}))

const count = z.int().min(0)
const previewSchema = z
  .object({
    checked: count.describe(`The transactions that were compared with the rule: the newest, at most ${previewed}.`),
    matched: count.describe('Those that match its conditions.'),
    kept: count.describe('Those of them whose value the user set; the rule does not change it.'),
    changed: count.describe('Those of them that the rule would change, with all other rules in their place.'),
    data: z
      .array(
        z.object({
          id,
          date: day,
          name: z.string(),
          user_category: z.string().nullable(),
          hidden: z.boolean(),
          new_user_category: z.string().nullable(),
          new_hidden: z.boolean(),
        }),
      )
      .describe('The newest 50 of the changed ones.'),
  })
  .meta({ id: 'RulePreview' })

export const previewRuleRoute = route({
  id: 'previewRule',
  audit: { none: 'A preview changes nothing.' },
  isRead: true,
  method: 'POST',
  path: `${path}/preview`,
  summary: 'Preview a rule',
  tags,
  access: 'user',
  limit: 'sync',
  body: z
    .strictObject({ ...contentShape, replaces: id.nullable().default(null) })
    .check(hasCondition, hasAction, isRange),
  answers: { 200: previewSchema },
  errors: [],
}).handle(async ({ services, actor }, { body: { replaces, ...given } }) => {
  const preview = await previewRule(services.api, actor.identity, contentOf(given), replaces)
  if (preview === null) throw noSuchAccount()
  const { rows, ...counts } = preview
  return { status: 200, body: { ...counts, data: rows } }
})

const place = keyCursor('rules', 'day')

export const applyRulesRoute = route({
  id: 'applyRules',
  audit: ['rules_applied'],
  method: 'POST',
  path: `${path}/apply`,
  summary: 'Apply the rules to stored transactions',
  tags,
  access: 'user',
  limit: 'sync',
  bodyOptional: true,
  body: z.strictObject({ cursor: z.string().optional() }),
  answers: {
    200: z
      .object({
        checked: count.describe(`The transactions of this step, at most ${stepRows}.`),
        changed: count.describe('Those of them that changed.'),
        next_cursor: z.string().nullable().describe('The `cursor` of the next step; null at the end.'),
      })
      .meta({ id: 'AppliedRules' }),
  },
  errors: ['invalid_cursor'],
}).handle(async (ctx, { body }) => {
  const { checked, changed, next } = await applyToStored(ctx, place.read(body.cursor))
  return { status: 200, body: { checked, changed, next_cursor: next === null ? null : place.write(next) } }
})
