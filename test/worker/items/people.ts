// Users with small banks whose ids, names and masks a test can change, and the sums of their money.
import type { Ctx, User } from '../../../src/context.ts'
import { listAccounts } from '../../../src/db/records/accounts.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { editTransaction, listTransactions } from '../../../src/db/records/transactions.ts'
import { netWorth } from '../../../src/insights/net-worth.ts'
import { spending } from '../../../src/insights/spending.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { daysAgo } from '../../support/item-lifecycle.ts'
import { createMiniBank, type MiniAccount, type MiniBank, type MiniLogin } from '../../support/mini-bank.ts'
import type { World } from '../../support/world.ts'

/** An account whose balance is a separate power of ten, so that a sum shows which accounts it includes. */
export function account(key: string, given: Partial<MiniAccount> = {}, rows = 5): MiniAccount {
  return {
    key,
    name: `Account ${key}`,
    mask: key.padStart(4, '0'),
    officialName: null,
    persistentId: null,
    type: 'depository',
    subtype: 'checking',
    balance: String(10 ** Number(key)),
    rows: Array.from({ length: rows }, (_, index) => ({
      key: `T${key}-${index}`,
      date: daysAgo(2 + index * 3),
      amount: `${Number(key) * 10 + index}.25`,
      name: `Row ${index} of ${key}`,
    })),
    ...given,
  }
}

export interface Person {
  readonly bank: MiniBank
  readonly ctx: Ctx<User>
  link(login: MiniLogin, allowDuplicate?: boolean): Promise<Item>
  sync(item?: Item): Promise<void>
  lose(item: Item): Promise<void>
  /** How often each transaction counts, by its category. */
  spent(): Promise<Record<string, number>>
  /** Today's net worth, or that of this many days ago; `0` for none. */
  worth(ago?: number): Promise<string>
  accounts(): ReturnType<typeof listAccounts> extends Promise<{ rows: infer Rows }> ? Promise<Rows> : never
  note(name: string, note: string): Promise<void>
  notes(): Promise<string[]>
}

export const once = (...accounts: MiniAccount[]) =>
  Object.fromEntries(accounts.flatMap(({ rows }) => rows.map(({ key }) => [key, 1] as const)))

export const sumOf = (...accounts: MiniAccount[]) =>
  String(accounts.reduce((sum, { balance }) => sum + Number(balance), 0))

/** Creates users over the world of a test file. */
export function people(world: () => World) {
  let created = 0
  function person(title: string): Person {
    created += 1
    const bank = createMiniBank(`${title.replaceAll(/\W/g, '')}${created}`)
    const services = bank.services(world().services)
    const ctx = { ...world().user(`${title} ${created}`), services }
    const { identity } = ctx.actor
    const every = async () => (await listTransactions(services.api, identity, {}, 500, null)).rows
    return {
      bank,
      ctx,
      async link(login, allowDuplicate = false) {
        const item = await exchangePublicToken(ctx, {
          publicToken: bank.link(login),
          institution: null,
          allowDuplicate,
        })
        await world().drain(services)
        return item
      },
      async sync(item) {
        await requestSync(ctx, item?.id ?? null)
        await world().drain(services)
      },
      async lose(item) {
        await world().sql("update items set status = 'relink_required' where id = $1", [item.id])
      },
      async spent() {
        const { categories } = await spending(ctx, { from: daysAgo(100) })
        return Object.fromEntries(categories.map(({ category, count }) => [category ?? '', count]))
      },
      async worth(ago = 0) {
        const { days } = await netWorth(ctx, { from: daysAgo(ago), to: daysAgo(ago) })
        return days.at(-1)?.net ?? '0'
      },
      accounts: async () => (await listAccounts(services.api, identity, 100, null)).rows,
      async note(name, note) {
        const row = (await every()).find((one) => one.name === name)
        if (row === undefined) throw new Error(`no ${name}`)
        await editTransaction(services.api, identity, row.id, { note })
      },
      notes: async () => (await every()).flatMap(({ note }) => (note === null ? [] : [note])),
    }
  }
  return { person }
}
