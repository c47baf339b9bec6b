// A user with rows of every kind, and what can happen to them: each step is what some writer does, as SQL. Nothing waits for a
// bank, so a thousand sequences run in minutes.
import { registerUser } from '../../src/db/core/scope.ts'
import { ruleSteps } from './rule-steps.ts'
import type { World } from './world.ts'

/** What a step does, with $1 the user and $2 a number that chooses rows and values. Statements of one step run in turn. */
type Statements = readonly string[]
/** Statements, or a function of the user's id and the number. */
type Step = Statements | ((world: World, userId: string, place: number) => Promise<void>)

const nth = (table: string, where = 'true') =>
  `(select id from ${table} where user_id = $1::uuid and ${where} order by md5(id::text || $2::int) limit 1)`
const other = (table: string) =>
  `(select id from ${table} where user_id = $1::uuid order by md5(id::text || $2::int) offset 1 limit 1)`
/** Changes a transaction with the next number of its user. */
const numbered = (change: string) =>
  `with counter as (update users set change_seq = change_seq + 1 where id = $1::uuid returning change_seq) ${change}`
const shownItem = 'removed_at is null'

export const steps: Readonly<Record<string, Step>> = {
  ...ruleSteps,
  balance: [`update accounts set current_balance = $2::int, balance_as_of = now() where id = ${nth('accounts')}`],
  'no difference': [
    `update accounts set updated_at = now(), link_epoch = link_epoch where user_id = $1::uuid and $2::int is not null`,
    `update holdings set updated_at = now() where user_id = $1::uuid and $2::int is not null`,
    `update items set updated_at = now(), capabilities = $2::int::text where user_id = $1::uuid`,
  ],
  close: [`update accounts set closed = not closed where id = ${nth('accounts')}`],
  revoke: [
    `update accounts set revoked_at = case when revoked_at is null then now() end where id = ${nth('accounts')}`,
  ],
  'leave out': [
    `update accounts set hidden = $2::int % 2 = 0, in_insights = $2::int % 3 = 0 where id = ${nth('accounts')}`,
  ],
  duplicate: [
    `update accounts set duplicate_of = ${other('accounts')}, duplicate_state = case when $2::int % 2 = 0 then 'possible' else 'kept' end
      where id = ${nth('accounts')} and ${other('accounts')} is not null`,
  ],
  'day balance': [
    `insert into account_balances (account_id, day, user_id, current, as_of)
      select ${nth('accounts')}, current_date - $2::int, $1::uuid, $2::int, now() where ${nth('accounts')} is not null
      on conflict (account_id, day) do update set current = excluded.current + 1`,
  ],
  'no day balance': [`delete from account_balances where account_id = ${nth('accounts')}`],
  status: [
    `update items set status = case status when 'healthy' then 'needs_update' else 'healthy' end
      where id = ${nth('items', shownItem)}`,
  ],
  lose: [
    `update items set status = case status when 'healthy' then 'relink_required' else 'healthy' end
      where id = ${nth('items', shownItem)}`,
  ],
  hide: [
    `update items set status = 'removing', removed_at = now() where id = ${nth('items', shownItem)}`,
    `select app.renumber_item(id) from items where user_id = $1::uuid and removed_at is not null and $2::int is not null`,
  ],
  show: [
    `update items set status = 'healthy', removed_at = null where user_id = $1::uuid and $2::int is not null`,
    `select app.renumber_item(id) from items where user_id = $1::uuid and $2::int is not null`,
  ],
  delete: [
    `insert into transaction_tombstones (user_id, change_seq, transaction_id) select user_id, change_seq, id from transactions
      where item_id = ${nth('items', 'removed_at is not null')}`,
    `delete from items where id = ${nth('items', 'removed_at is not null')}`,
  ],
  move: [
    `select app.move_account(${nth('accounts')}, ${nth('items')}, 'moved ' || gen_random_uuid())
      where ${nth('accounts')} is not null and ${nth('items')} is not null`,
  ],
  'move to a hidden item': [
    `select app.move_account(a.id, ${nth('items', 'removed_at is not null')}, 'moved ' || gen_random_uuid()) from accounts a
      where a.user_id = $1::uuid and $2::int is not null and ${nth('items', 'removed_at is not null')} is not null
        and exists (select 1 from items i where i.id = a.item_id and i.removed_at is null)`,
  ],
  merge: [`select app.merge_accounts(${nth('accounts')}, ${other('accounts')}) where ${other('accounts')} is not null`],
  price: [`update securities set close_price = $2::int where id = ${nth('securities')}`],
  holding: [
    `insert into holdings (user_id, item_id, account_id, security_id, quantity, institution_value)
      select $1::uuid, a.item_id, a.id, ${nth('securities')}, $2::int, $2::int from accounts a where a.id = ${nth('accounts')}
      on conflict (account_id, security_id) do update set quantity = excluded.quantity`,
  ],
  'no holding': [`delete from holdings where id = ${nth('holdings')}`],
  investment: [
    `insert into investment_transactions (user_id, item_id, account_id, security_id, plaid_investment_transaction_id, date, name,
        quantity, amount, type, subtype)
      select $1::uuid, a.item_id, a.id, ${nth('securities')}, gen_random_uuid()::text, current_date - $2::int, 'bought', 1, $2::int, 'buy', 'buy'
      from accounts a where a.id = ${nth('accounts')}`,
  ],
  'no investment': [
    `update investment_transactions set removed_at = now() where id = ${nth('investment_transactions', shownItem)}`,
    `delete from investment_transactions where id = ${nth('investment_transactions')} and $2::int % 3 = 0`,
  ],
  liability: [
    `insert into liabilities (user_id, item_id, account_id, kind, details)
      select $1::uuid, a.item_id, a.id, 'credit', jsonb_build_object('n', $2::int) from accounts a where a.id = ${nth('accounts')}
      on conflict (account_id, kind) do update set details = excluded.details`,
  ],
  'no liability': [`delete from liabilities where id = ${nth('liabilities')}`],
  stream: [
    `insert into recurring_streams (user_id, item_id, account_id, plaid_stream_id, direction, description, first_date, last_date,
        frequency, is_active, status, plaid_transaction_ids)
      select $1::uuid, a.item_id, a.id, gen_random_uuid()::text, 'outflow', 'rent', current_date, current_date - $2::int, 'MONTHLY', true, 'MATURE',
        array(select plaid_transaction_id from transactions where item_id = a.item_id order by md5(id::text || $2::int) limit 3)
      from accounts a where a.id = ${nth('accounts')}`,
  ],
  'later stream': [`update recurring_streams set last_date = last_date + 1 where id = ${nth('recurring_streams')}`],
  'no stream': [`delete from recurring_streams where id = ${nth('recurring_streams')}`],
  transaction: [
    numbered(`insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, name, pending, change_seq)
      select $1::uuid, a.item_id, a.id, gen_random_uuid()::text, current_date - $2::int, $2::int, 'bought', false, counter.change_seq
      from counter cross join accounts a where a.id = ${nth('accounts')}`),
  ],
  note: [
    numbered(`update transactions t set note = $2::int::text, change_seq = counter.change_seq from counter
      where t.id = ${nth('transactions')}`),
  ],
  edit: [
    numbered(`update transactions t set user_category = case when $2::int % 3 = 0 then 'RENT' end, hidden = $2::int % 5 = 0,
        pending = not pending, change_seq = counter.change_seq from counter where t.id = ${nth('transactions')}`),
  ],
  'removed at the bank': [
    numbered(`update transactions t set removed_at = case when t.removed_at is null then now() end, change_seq = counter.change_seq
      from counter where t.id = ${nth('transactions')}`),
  ],
  'transaction too old': [
    numbered(`, gone as (delete from transactions t using counter where t.id = ${nth('transactions')}
        returning t.user_id, t.id, counter.change_seq)
      insert into transaction_tombstones (user_id, change_seq, transaction_id) select user_id, change_seq, id from gone`),
  ],
  refuse: [
    `update item_products set refusals = case when refusals = 0 then 2 else 0 end where id = ${nth('item_products')}`,
  ],
  rename: [`update securities set name = $2::int::text where id = ${nth('securities')}`],
  'holding day': [
    `insert into holding_days (user_id, account_id, security_id, day, quantity, institution_value)
      select $1::uuid, ${nth('accounts')}, ${nth('securities')}, current_date, $2::int, $2::int where ${nth('accounts')} is not null
      on conflict (account_id, day, security_id) do update set quantity = excluded.quantity`,
    `delete from holding_days where user_id = $1::uuid and $2::int % 3 = 0`,
  ],
  'set aside': [
    `insert into set_aside_rows (user_id, item_id, product, kind, row_key, plaid_account_id, problems, run_id)
      select $1::uuid, a.item_id, 'transactions', 'transaction', 'one', a.plaid_account_id, '{}', gen_random_uuid()
      from accounts a where a.id = ${nth('accounts')}
      on conflict (item_id, product, kind, row_key) do update set plaid_account_id = excluded.plaid_account_id, last_seen_at = now()`,
  ],
  'nothing set aside': [`delete from set_aside_rows where user_id = $1::uuid and $2::int is not null`],
  'first read': [
    `update item_products set last_synced_at = case when last_synced_at is null then now() end where id = ${nth('item_products')}`,
  ],
  'read again': [
    `update accounts set balance_as_of = now() + make_interval(secs => $2::int) where user_id = $1::uuid`,
    `update items set transactions_updated_at = now() + make_interval(secs => $2::int) where user_id = $1::uuid`,
  ],
  synced: [
    `update item_products set last_synced_at = now() - make_interval(days => $2::int), last_error = null where id = ${nth('item_products')}`,
  ],
  consents: [
    `update users set not_allowed = case when not_allowed = '{}' then '{insights}'::text[] else '{}' end
      where id = $1::uuid and $2::int is not null`,
  ],
}

/** Makes changes, or removals of transactions, older than they are kept: some with the lowest numbers, or any. */
export const ageing: Readonly<Record<string, Statements>> = {
  'old changes': [
    `update changes set changed_at = now() - interval '300 days' where (user_id, seq) in (
      select user_id, seq from changes where user_id = $1::uuid order by md5(row_id::text || $2::int) limit 2)`,
  ],
  'old removals': [
    `update transaction_tombstones set created_at = now() - interval '300 days' where (user_id, change_seq) in (
      select user_id, change_seq from transaction_tombstones where user_id = $1::uuid
      order by md5(transaction_id::text || $2::int) limit 2)`,
  ],
}

/** What a restored database does to its users (src/cli/backup/settle.ts). */
export const restoring: Statements = [
  `update users set feed_epoch = feed_epoch # 1, change_seq = change_seq + 1000, changes_from = change_seq + 1000,
    feed_from = change_seq + 1000 where id = $1::uuid and $2::int is not null`,
]

/** The end of an erasure: a person who comes back is another user. */
export const erasing: Statements = [
  `update users set tokens_valid_from = 'infinity' where id = $1::uuid and $2::int is not null`,
  ...['items', 'securities', 'transaction_tombstones'].map(
    (table) => `delete from ${table} where user_id = $1::uuid and $2::int is not null`,
  ),
  `delete from users where id = $1::uuid and $2::int is not null`,
]

const seed: Statements = [
  `insert into items (user_id, plaid_item_id, access_token_sealed, status)
    select $1::uuid, gen_random_uuid()::text, '', 'healthy' from generate_series(1, 2) where $2::int is not null`,
  `insert into item_products (user_id, item_id, product)
    select user_id, id, unnest(array['item', 'transactions', 'holdings', 'liabilities', 'recurring', 'investment_transactions'])
    from items where user_id = $1::uuid and $2::int is not null`,
  `insert into accounts (user_id, item_id, plaid_account_id, name, type)
    select user_id, id, gen_random_uuid()::text, 'account', 'depository' from items, generate_series(1, 2)
    where user_id = $1::uuid and $2::int is not null`,
  `insert into securities (user_id, plaid_security_id) select $1::uuid, gen_random_uuid()::text from generate_series(1, 2)
    where $2::int is not null`,
]
const seeding = [
  'transaction',
  'transaction',
  'transaction',
  'holding',
  'holding',
  'investment',
  'investment',
  'liability',
  'stream',
  'stream',
]

export async function run(world: World, userId: string, step: Step, place: number): Promise<void> {
  if (typeof step === 'function') return await step(world, userId, place)
  for (const statement of step) await world.sql(statement, [userId, place])
}

/** A user with rows of every kind. Returns the user's id. */
export async function seedUser(world: World, subject: string): Promise<string> {
  const userId = await registerUser(world.services.api, world.user(subject).actor.identity)
  await run(world, userId, seed, 0)
  for (const [place, name] of seeding.entries()) await run(world, userId, steps[name] ?? [], place)
  return userId
}
