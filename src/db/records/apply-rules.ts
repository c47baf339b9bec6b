// Shows what a rule would do to stored transactions, and applies the rules to them. A value of the user is never
// changed.
import { sql, type SQL } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recorded } from '../audit/record.ts'
import type { ApiDatabase } from '../core/client.ts'
import { plan, unsorted } from '../core/plans.ts'
import { asUser, type Identity, me } from '../core/scope.ts'
import { bigCount, query } from '../core/statement.ts'
import { givenBy, isOwnCategory, isOwnHidden, matchesRule, placesOf, ruleList, searchedText } from './rule-matching.ts'
import { lockUser, namesOwnAccount, type RuleContent, valuesOf } from './rules.ts'

/** How many transactions a preview compares with the rule: the newest. */
export const previewed = 20_000
/** To how many transactions one step applies the rules. */
export const stepRows = 5000
/** How many transactions a preview lists. */
const listedRows = 50

const shownItems = sql`array(select i.id from items i where i.user_id = ${me} and i.removed_at is null)`
/** The user's shown transactions after a place in their order, newest first, with the text in which rules search. */
const newest = (after: readonly [string, string] | null, limit: number): SQL =>
  sql`select t.*, ${searchedText('t')} as searched from (
      select * from transactions where user_id = ${me} and removed_at is null and item_id = any(${shownItems})
        ${after === null ? sql`` : sql`and (date, id) < (${after[0]}::date, ${after[1]}::uuid)`}
      order by date desc, id desc limit ${limit}) t`

/** In place of the id of a rule that is not saved. */
const draftId = sql.raw("'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid")
const storedRules = sql`select id, position, contains, min_amount, max_amount, account_id, user_category, hidden
    from rules where user_id = ${me}`

/** CTE `outcome`: the rows of `source` whose values differ from those that the rules give, with both. */
const outcome = (source: string): SQL => {
  const { category, categoryRule, hiddenRule } = givenBy('b')
  return sql`outcome as materialized (
    select * from (
      select b.id, b.date, b.name, b.user_category as old_category, b.hidden as old_hidden,
        b.category_by as old_category_by, b.hidden_by as old_hidden_by,
        case when ${isOwnCategory('b')} then b.user_category else ${category} end as category,
        case when ${isOwnCategory('b')} then b.category_by else ${categoryRule} end as category_by,
        case when ${isOwnHidden('b')} then b.hidden else ${hiddenRule} is not null end as hidden,
        case when ${isOwnHidden('b')} then b.hidden_by else ${hiddenRule} end as hidden_by
      from (select s.*, ${placesOf('s')} as places from ${sql.raw(source)} s offset 0) b cross join rule_values
    ) values_of
    where (category, category_by, hidden, hidden_by)
      is distinct from (old_category, old_category_by, old_hidden, old_hidden_by))`
}

const appliedRow = z.object({
  checked: bigCount,
  changed: bigCount,
  last_date: z.string().nullable(),
  last_id: z.string().nullable(),
})

export interface AppliedStep {
  readonly checked: number
  readonly changed: number
  /** The place after which the next step starts; null at the end. */
  readonly next: readonly [string, string] | null
}

/**
 * Applies the rules to the next transactions, the newest first. Locks the user's counter row first, as a commit does,
 * and each row that differs takes a number, so that a second run changes nothing.
 * @param audit is stored if the step changes anything
 */
export async function applyRules(
  database: ApiDatabase,
  identity: Identity,
  after: readonly [string, string] | null,
  audit: AuditRow,
): Promise<AppliedStep> {
  const { step } = await asUser(database, identity, {
    userLocked: lockUser(database),
    planned: [plan(unsorted)],
    step: query(
      appliedRow,
      sql`with ${ruleList(storedRules)}, batch as materialized (${newest(after, stepRows)}), ${outcome(
        'batch',
      )}, numbered as (
          select *, row_number() over (order by date, id) as n from outcome
        ), counter as (select change_seq from users where id = ${me}
        ), applied as (
          update transactions t set user_category = n.category, category_by = n.category_by, hidden = n.hidden,
            hidden_by = n.hidden_by, updated_at = now(), change_seq = counter.change_seq + n.n
          from numbered n cross join counter where t.id = n.id and t.user_id = ${me}
        ), counted as (
          update users set change_seq = change_seq + (select count(*) from outcome)
          where id = ${me} and exists (select 1 from outcome)
        )
        select (select count(*) from batch) as checked, (select count(*) from outcome) as changed,
          last.date::text as last_date, last.id as last_id, ${recorded(audit, sql`exists (select 1 from outcome)`)}
        from (values (1)) always(n) left join (select date, id from batch order by date, id limit 1) last on true`,
    ),
  })
  const { checked = 0, changed = 0, last_date: date = null, last_id: id = null } = step[0] ?? {}
  const isEnd = checked < stepRows || date === null || id === null
  return { checked, changed, next: isEnd ? null : [date, id] }
}

const previewRow = z.object({
  is_own: z.boolean(),
  checked: bigCount,
  matched: bigCount,
  kept: bigCount,
  changed: bigCount,
  rows: z.array(
    z.object({
      id: z.string(),
      date: z.string(),
      name: z.string(),
      user_category: z.string().nullable(),
      hidden: z.boolean(),
      new_user_category: z.string().nullable(),
      new_hidden: z.boolean(),
    }),
  ),
})
export type RulePreview = Omit<z.output<typeof previewRow>, 'is_own'>

/**
 * What the rule would change if it were saved, last of all rules or in place of `replaces`, and all rules applied. That
 * includes the values that the replaced rule gave and this one does not give. Null if
 * its account is not the user's.
 */
export async function previewRule(
  database: ApiDatabase,
  identity: Identity,
  rule: RuleContent,
  replaces: string | null,
): Promise<RulePreview | null> {
  const draft = sql`select ${draftId} as id,
      coalesce((select position from rules where id = ${replaces}::uuid and user_id = ${me}), 2147483647) as position,
      contains, min_amount, max_amount, account_id, user_category, hidden
    from (select ${valuesOf(rule)}) d(contains, min_amount, max_amount, account_id, user_category, hidden)`
  const others = sql`${storedRules} and id is distinct from ${replaces}::uuid`
  const { found } = await asUser(database, identity, {
    planned: [plan(unsorted)],
    found: query(
      previewRow,
      sql`with ${ruleList(sql`${others} union all ${draft}`)}, checked as materialized (${newest(null, previewed)}
        ), matching as materialized (
          select b.* from checked b join rule_list r on r.id = ${draftId} and ${matchesRule('b')}
        ), compared as materialized (
          select * from matching union all
          select * from checked where ${replaces}::uuid in (category_by, hidden_by)
            and id not in (select id from matching)
        ), ${outcome('compared')}, touched as (
          select * from outcome
          where category is distinct from old_category
            and (category_by = ${draftId} or old_category_by = ${replaces}::uuid)
            or hidden <> old_hidden and (hidden_by = ${draftId} or old_hidden_by = ${replaces}::uuid)
        )
        select ${namesOwnAccount(rule)} as is_own, (select count(*) from checked) as checked,
          (select count(*) from matching) as matched,
          (select count(*) from matching b where ${isOwnCategory('b')} and ${rule.userCategory}::text is not null
            or ${isOwnHidden('b')} and ${rule.hidden}) as kept,
          (select count(*) from touched) as changed,
          coalesce((select jsonb_agg(to_jsonb(listed)) from (
            select id, date, name, old_category as user_category, old_hidden as hidden, category as new_user_category,
              hidden as new_hidden
            from touched order by date desc, id desc limit ${listedRows}
          ) listed), '[]') as rows`,
    ),
  })
  const [row] = found
  if (row === undefined || !row.is_own) return null
  const { is_own: _, ...preview } = row
  return preview
}
