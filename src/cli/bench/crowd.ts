// Creates users with all data of an item inside the database: a million transactions take seconds, not minutes.
import type { Client } from 'pg'
import * as z from 'zod'

export interface Crowd {
  /** Users are named by it and a number, from 1. Letters and spaces. */
  readonly name: string
  /** Each has one item with four accounts. */
  readonly users: number
  /** In each account. */
  readonly transactions: number
  readonly investments: number
}

const accounts = 4
/** In each account: two years of a household. */
const transactionCount = 360

/** As many users as it takes for this number of transactions. */
export const crowdOf = (name: string, transactions: number): Crowd => ({
  name,
  users: Math.ceil(transactions / (transactionCount * accounts)),
  transactions: transactionCount,
  investments: transactionCount / 10,
})

/** The parents, and the temporary table `crowd` with a row for each account. */
const parents = ({ name, users }: Crowd): string => `
  insert into users (issuer, subject) select 'bench', '${name} ' || n from generate_series(1, ${users}) n;
  insert into items (user_id, plaid_item_id, access_token_sealed, status)
    select id, subject, 'none', 'healthy' from users where issuer = 'bench' and subject like '${name} %';
  insert into accounts (user_id, item_id, plaid_account_id, name, type)
    select user_id, id, 'account ' || n, 'Account', 'depository' from items cross join generate_series(1, ${accounts}) n
    where plaid_item_id like '${name} %';
  insert into securities (user_id, plaid_security_id, name)
    select user_id, 'security ' || n, 'Security' from items cross join generate_series(1, 3) n where plaid_item_id like '${name} %';
  create temporary table crowd as
    select a.user_id, a.item_id, a.id as account_id, row_number() over (partition by a.item_id order by a.id) as place
    from accounts a join items i on i.id = a.item_id where i.plaid_item_id like '${name} %';
  create temporary table crowd_securities as
    select c.*, s.id as security_id from crowd c join securities s on s.user_id = c.user_id;`

const lists = ({ transactions, investments }: Crowd): string => `
  insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, iso_currency_code, name,
      merchant_name, merchant_logo_url, category_primary, category_detailed, pending, payment_channel, change_seq)
    select user_id, item_id, account_id, substr(md5(account_id::text || n) || md5(n::text), 1, 37),
      date '2026-11-01' - (n * 730 / ${transactions})::int, (n * 37 % 500)::numeric + 0.25, 'USD',
      'MERCHANT #' || n % 1000 || ' SAN FRANCISCO CA', 'Merchant ' || n % 50,
      'https://plaid-merchant-logos.plaid.com/merchant_' || n % 50 || '.png', 'FOOD_AND_DRINK', 'FOOD_AND_DRINK_COFFEE',
      n % 100 = 0, 'in store', (n - 1) * ${accounts} + place
    from crowd cross join generate_series(1, ${transactions}) n;
  update users u set change_seq = ${transactions * accounts} from crowd c where u.id = c.user_id;
  insert into investment_transactions (user_id, item_id, account_id, security_id, plaid_investment_transaction_id, date, name,
      quantity, amount, price, type, subtype)
    select user_id, item_id, account_id, (array_agg(security_id))[1], md5(account_id::text || n),
      date '2026-11-01' - (n * 730 / ${investments})::int, 'Buy', 1, n, n, 'buy', 'buy'
    from crowd_securities cross join generate_series(1, ${investments}) n group by user_id, item_id, account_id, n;
  insert into holdings (user_id, item_id, account_id, security_id, quantity, institution_price, institution_value)
    select user_id, item_id, account_id, security_id, 1, 1, 1 from crowd_securities;
  insert into holding_days (user_id, account_id, security_id, day, quantity, institution_price, institution_value)
    select user_id, account_id, security_id, date '2026-11-01' - n, 1, 1, 1 from crowd_securities cross join generate_series(1, 10) n;
  insert into account_balances (account_id, day, user_id, current, as_of)
    select account_id, date '2026-11-01' - n, user_id, n, now() from crowd cross join generate_series(1, 60) n;
  insert into recurring_streams (user_id, item_id, account_id, plaid_stream_id, direction, description, first_date, last_date,
      frequency, is_active, status, plaid_transaction_ids)
    select user_id, item_id, account_id, 'stream ' || account_id || n, 'outflow', 'Rent', '2025-01-01', '2026-11-01', 'MONTHLY',
      true, 'MATURE', '{}' from crowd cross join generate_series(1, 3) n;
  insert into liabilities (user_id, item_id, account_id, kind, details)
    select user_id, item_id, account_id, 'credit', '{}' from crowd;`

const operations = `
  insert into item_products (item_id, user_id, product, status, synced_seq, last_synced_at)
    select item_id, user_id, product, 'ok', 1, now() from (select distinct item_id, user_id from crowd) c
    cross join unnest(array['item', 'balances', 'transactions', 'holdings', 'recurring']) product;
  insert into sync_runs (id, user_id, item_id, item_product_id, product, trigger, outcome, plaid_request_ids, started_at)
    select gen_random_uuid(), c.user_id, c.item_id, p.id, p.product, 'sweep', 'committed', '{}', now() - make_interval(hours => n)
    from crowd c join item_products p on p.item_id = c.item_id cross join generate_series(1, 3) n where c.place = 1;
  insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, plaid_item_id, item_id, user_id, payload, received_at)
    select gen_random_uuid(), 'jwt', 'TRANSACTIONS', 'SYNC_UPDATES_AVAILABLE', i.plaid_item_id, i.id, i.user_id, '{}',
      now() - make_interval(hours => n)
    from crowd c join items i on i.id = c.item_id cross join generate_series(1, 10) n where c.place = 1;
  insert into link_sessions (user_id, token_digest, item_id, expires_at) select user_id, item_id, item_id, now() from crowd where place = 1;
  insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, item_id, next_attempt_at)
    select item_id, user_id, item_id, 'linked', false, item_id, now() from crowd where place = 1;
  insert into dead_letters (queue, message_id, item_product_id, reason, payload)
    select 'sync', p.id, p.id, 'failed', '{}' from crowd c join item_products p on p.item_id = c.item_id where c.place = 1;
  insert into set_aside_rows (user_id, item_id, product, kind, row_key, problems, run_id)
    select user_id, item_id, 'balances', 'account', n::text, array['account_id missing'], item_id
    from crowd cross join generate_series(1, 20) n where place = 1;
  drop table crowd, crowd_securities;`

/** Creates the crowd. Does not analyse the tables. */
export async function addCrowd(owner: Client, crowd: Crowd): Promise<void> {
  await owner.query(`begin; ${parents(crowd)} ${lists(crowd)} ${operations} commit`)
}

const secondaryIndex = z.object({ name: z.string(), text: z.string() })

/** The same for millions of rows: indexes without a constraint are created afterwards. */
export async function fillQuickly(owner: Client, crowd: Crowd): Promise<void> {
  const { rows } = await owner.query(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as text from pg_index i
      join pg_class c on c.oid = i.indrelid
      where c.relnamespace = 'public'::regnamespace
        and not exists (select 1 from pg_constraint where conindid = i.indexrelid)`,
  )
  const indexes = z.array(secondaryIndex).parse(rows)
  try {
    for (const { name } of indexes) await owner.query(`drop index ${name}`)
    await addCrowd(owner, crowd)
  } finally {
    for (const { text } of indexes) await owner.query(text)
  }
}
