// Which values a user's rules give a transaction. The commit's merge, the application to stored transactions and the
// preview agree, because all of them are made of these parts.
import { type SQL, sql } from 'drizzle-orm'

/** In place of a rule's id in `category_by` and `hidden_by`: the user decided, also where the decision is no value. */
export const byUser = sql.raw("'00000000-0000-0000-0000-000000000000'::uuid")

const column = (row: string, name: string): SQL => sql.raw(`${row}.${name}`)

/** Whether the user decided. A value without a mark is the user's: it is older than rules. */
export const isOwnCategory = (row: string): SQL =>
  sql`coalesce(${column(row, 'category_by')} = ${byUser}, ${column(row, 'user_category')} is not null)`
export const isOwnHidden = (row: string): SQL =>
  sql`coalesce(${column(row, 'hidden_by')} = ${byUser}, ${column(row, 'hidden')})`

/**
 * Text as rules compare it: letter case, and the ways to encode one character, do not matter. Text with as many bytes
 * as characters is ASCII, which has one encoding.
 */
const folded = (text: SQL): SQL =>
  sql`lower(case when octet_length(${text}) = char_length(${text}) then ${text} else normalize(${text}, NFKC) end)`

/**
 * Two CTEs: `rule_list`, the rules of `from` (a query with the columns of the table) with their `place` in the order,
 * and `rule_values`, one row with their ids and categories by place; nulls without rules.
 */
export const ruleList = (from: SQL): SQL => sql`rule_list as materialized (
    select id, row_number() over (order by position, id) as place, ${folded(sql`contains`)} as contains, min_amount,
      max_amount, account_id, user_category, hidden
    from (${from}) given
  ), rule_values as materialized (
    select array_agg(id order by place) as ids, array_agg(user_category order by place) as categories from rule_list
  )`

/**
 * The text of a row in which rules search: its name and its merchant, with a line end between, which no rule contains.
 */
export const searchedText = (row: string): SQL =>
  folded(sql.raw(`(${row}.name || E'\\n' || coalesce(${row}.merchant_name, ''))`))

/** Whether the rule `r` matches a row with the columns `searched`, `amount` and `account_id`. */
export const matchesRule = (row: string): SQL =>
  sql`(r.account_id is null or r.account_id = ${column(row, 'account_id')})
    and (r.min_amount is null or ${column(row, 'amount')} >= r.min_amount)
    and (r.max_amount is null or ${column(row, 'amount')} <= r.max_amount)
    and (r.contains is null or strpos(${column(row, 'searched')}, r.contains) > 0)`

/** The places of the first rule with a category and of the first one that hides, of those that match; null for none. */
export const placesOf = (row: string): SQL =>
  sql`(select array[min(r.place) filter (where r.user_category is not null), min(r.place) filter (where r.hidden)]
    from rule_list r where ${matchesRule(row)})`

/** What the rules at `places`, a column of `row`, give; `rule_values` must be in the query. */
export const givenBy = (row: string) => ({
  category: sql.raw(`rule_values.categories[${row}.places[1]]`),
  categoryRule: sql.raw(`rule_values.ids[${row}.places[1]]`),
  hiddenRule: sql.raw(`rule_values.ids[${row}.places[2]]`),
})
