// A user's rules, in their order.
import { asc, eq, sql, type SQL } from 'drizzle-orm'
import { rules } from '../../../drizzle/tables/rules.ts'
import { users } from '../../../drizzle/tables/users.ts'
import { type AuditRow, recorded } from '../audit/record.ts'
import type { ApiDatabase } from '../core/client.ts'
import { exactOrNull, type RowOf } from '../core/columns.ts'
import { asNewUser, asUser, type Identity, me } from '../core/scope.ts'
import { anyRow, idRow, query } from '../core/statement.ts'

/** The rules of a user. Each commit compares its new rows with all of them. */
export const mostRules = 100

const ruleColumns = {
  id: rules.id,
  contains: rules.contains,
  minAmount: exactOrNull(rules.minAmount),
  maxAmount: exactOrNull(rules.maxAmount),
  accountId: rules.accountId,
  userCategory: rules.userCategory,
  hidden: rules.hidden,
  createdAt: rules.createdAt,
}
export type Rule = RowOf<typeof ruleColumns>

/** What a rule looks for, and what it does. */
export type RuleContent = Pick<Rule, 'contains' | 'minAmount' | 'maxAmount' | 'accountId' | 'userCategory' | 'hidden'>

export const valuesOf = (rule: RuleContent): SQL =>
  sql`${rule.contains}::text, ${rule.minAmount}::numeric, ${rule.maxAmount}::numeric, ${rule.accountId}::uuid,
    ${rule.userCategory}::text, ${rule.hidden}::boolean`

/** Whether the rule names no account, or one that the user has. */
export const namesOwnAccount = ({ accountId }: RuleContent): SQL =>
  sql`(${accountId}::uuid is null or exists (select 1 from accounts a join items i on i.id = a.item_id
    where a.id = ${accountId}::uuid and a.user_id = ${me} and i.removed_at is null))`

const select = ({ connection }: ApiDatabase) =>
  connection.select(ruleColumns).from(rules).where(eq(rules.userId, me)).orderBy(asc(rules.position), asc(rules.id))

/** Locks the user's counter row, as a sync's commit does: each commit sees all rules of one moment. */
export const lockUser = ({ connection }: ApiDatabase) =>
  connection.select({ id: users.id }).from(users).where(eq(users.id, me)).for('no key update')

/** Takes a number of the user, which stands for everything that the user's lists show. */
const numbered = sql`counter as (
    update users set change_seq = change_seq + 1 where id = ${me} and exists (select 1 from changed))`

export async function listRules(database: ApiDatabase, identity: Identity): Promise<readonly Rule[]> {
  const { found } = await asUser(database, identity, { found: select(database) })
  return found
}

/** The rule, after all others; `full` if the user has the most rules, null if the account is not the user's. */
export async function insertRule(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  rule: RuleContent,
  audit: AuditRow,
): Promise<Rule | 'full' | null> {
  const { known, found } = await asNewUser(database, identity, {
    userLocked: lockUser(database),
    known: query(anyRow, sql`select 1 where ${namesOwnAccount(rule)}`),
    created: query(
      idRow,
      sql`with changed as (
          insert into rules (id, user_id, position, contains, min_amount, max_amount, account_id, user_category, hidden)
          select ${id}::uuid, ${me}, coalesce((select max(position) from rules where user_id = ${me}), 0) + 1,
            ${valuesOf(rule)}
          where (select count(*) from rules where user_id = ${me}) < ${mostRules} and ${namesOwnAccount(rule)}
          returning id
        ), ${numbered} select id, ${recorded(audit)} from changed`,
    ),
    found: select(database),
  })
  if (known.length === 0) return null
  return found.find((each) => each.id === id) ?? 'full'
}

/** The rule with the new content; null if there is no such rule, `account` if the account is not the user's. */
export async function replaceRule(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  rule: RuleContent,
  audit: AuditRow,
): Promise<Rule | 'account' | null> {
  const { known, found } = await asUser(database, identity, {
    userLocked: lockUser(database),
    known: query(anyRow, sql`select 1 where ${namesOwnAccount(rule)}`),
    replaced: query(
      idRow,
      sql`with changed as (
          update rules set (contains, min_amount, max_amount, account_id, user_category, hidden) = (
            select ${valuesOf(rule)}), updated_at = now()
          where id = ${id} and user_id = ${me} and ${namesOwnAccount(rule)} returning id
        ), ${numbered} select id, ${recorded(audit)} from changed`,
    ),
    found: select(database),
  })
  const held = found.find((each) => each.id === id)
  if (held === undefined) return null
  return known.length === 0 ? 'account' : held
}

/** Whether there was such a rule. Values that it gave stay until the rules are applied again. */
export async function deleteRule(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  audit: AuditRow,
): Promise<boolean> {
  const { deleted } = await asUser(database, identity, {
    userLocked: lockUser(database),
    deleted: query(
      idRow,
      sql`with changed as (delete from rules where id = ${id} and user_id = ${me} returning id), ${numbered}
        select id, ${recorded(audit)} from changed`,
    ),
  })
  return deleted.length > 0
}

/** The rules in the new order; null unless `ids` are exactly the user's rules. */
export async function orderRules(
  database: ApiDatabase,
  identity: Identity,
  ids: readonly string[],
  audit: AuditRow,
): Promise<readonly Rule[] | null> {
  const list = sql`${sql.param(ids)}::uuid[]`
  const { ordered, found } = await asUser(database, identity, {
    userLocked: lockUser(database),
    ordered: query(
      anyRow,
      sql`with held as (select array_agg(id order by id) as ids from rules where user_id = ${me}
        ), changed as (
          update rules r set position = o.n, updated_at = now()
          from held, unnest(${list}) with ordinality o(id, n)
          where r.id = o.id and r.user_id = ${me}
            and held.ids = (select array_agg(given order by given) from unnest(${list}) given)
          returning r.id
        ), ${numbered} select ${recorded(audit)} where exists (select 1 from changed)`,
    ),
    found: select(database),
  })
  return ordered.length > 0 ? found : null
}
