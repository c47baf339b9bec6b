// Opens the bank of one login with its history up to today. The same inputs give the same bytes.
import { openAccount, planOf } from './accounts.ts'
import { addDays } from './calendar.ts'
import { openCustomBank } from './custom-bank.ts'
import { parseCustomUser } from './custom-user.ts'
import { householdOf } from './household.ts'
import { inventTransaction } from './invent.ts'
import { openPortfolios } from './investing.ts'
import { book } from './booking.ts'
import { playDays } from './play-days.ts'
import type { Bank } from './model.ts'
import { exact, subtractExact } from './number.ts'
import { numbersOf } from './numbers.ts'
import { setPersistentIds } from './persistent-ids.ts'
import { sampleOwner } from './postal.ts'
import { type Random, randomFrom } from './random.ts'
import { rareRoles, rareValuesUser } from './rare-values.ts'
import type { Day, Ids } from './values.ts'

export interface OpenBank {
  seed: string
  institutionId: string
  /**
   * `user_transactions_dynamic` has more pending transactions; `user_rare_values` has values that Plaid's sandbox never
   * returns. Every other name makes an ordinary customer.
   */
  username: string
  /** The parsed password of `user_custom`, numbers raw; null for a generated customer. */
  customUser: unknown
  /** Days of history of a generated customer. */
  historyDays: number
  today: Day
  ids: Ids
}

/**
 * The bank as of the end of `today`.
 * @throws RangeError that names the field of an invalid custom user
 */
export function openBank({ seed, institutionId, username, customUser, historyDays, today, ids }: OpenBank): Bank {
  const custom = customUser === null ? null : parseCustomUser(customUser)
  const accounts = custom?.override_accounts ?? null
  if (accounts !== null) {
    const bank = openCustomBank({ accounts, today, ids })
    setPersistentIds(bank, institutionId, `${seed}/${JSON.stringify(customUser)}`)
    return bank
  }
  const owner = `${seed}/${institutionId}/${username}${custom?.seed ?? ''}`
  const random = randomFrom(owner)
  const dynamic = username === 'user_transactions_dynamic'
  const bank = newBank({ institutionId, dynamic, rare: username === rareValuesUser, random, ids })
  setPersistentIds(bank, institutionId, owner)
  const from = addDays(today, -historyDays)
  openPortfolios(bank, from, ids)
  playDays({ bank, from, to: today, random, ids })
  ensurePendingTransaction(bank, today, random, ids)
  return bank
}

/** Throws the RangeError that opening a bank for this custom user would throw. */
export function tryCustomUser(customUser: unknown): void {
  const accounts = parseCustomUser(customUser).override_accounts ?? []
  let count = 0
  openCustomBank({ accounts, today: '2026-01-01', ids: (kind) => `${kind}-${(count += 1)}` })
}

interface NewBank {
  institutionId: string
  dynamic: boolean
  rare: boolean
  random: Random
  ids: Ids
}

function newBank({ institutionId, dynamic, rare, random, ids }: NewBank): Bank {
  const institution = planOf(institutionId)
  const offered = institution.accounts.filter(({ role }) => rare || !rareRoles.has(role))
  const opened = offered.map((plan) => ({ plan, account: openAccount(institution, plan, ids) }))
  const accounts = opened.map(({ account }) => account)
  const roles = Object.fromEntries(
    opened.flatMap(({ plan, account }) => (plan.role === undefined ? [] : [[plan.role, account.account_id]])),
  )
  for (const { type, balances } of accounts) {
    if (type === 'credit')
      balances.available = subtractExact(balances.limit ?? exact('0'), balances.current ?? exact('0'))
  }
  return {
    accounts,
    closedAccountIds: new Set(),
    transactions: [],
    securities: [],
    holdings: [],
    investmentTransactions: [],
    liabilities: { credit: [], mortgage: [], student: [] },
    owners: new Map(accounts.map(({ account_id }) => [account_id, [sampleOwner()]])),
    numbers: new Map(
      accounts.flatMap((account) => {
        const numbers = numbersOf(account, random)
        return numbers === undefined ? [] : [[account.account_id, numbers]]
      }),
    ),
    backOffice: {
      household: householdOf({ accounts: roles, dynamic, rare }, random),
      clearsOn: new Map(),
      fixedAvailable: new Set(),
      pricesInCents: new Map(),
      otherSides: new Map(),
      openings: new Map(accounts.map(({ account_id, balances }) => [account_id, balances.current ?? exact('0')])),
      inflows: [],
    },
  }
}

/** Makes sure that a new customer has a pending transaction, also after a weekend without purchases. */
function ensurePendingTransaction(bank: Bank, today: Day, random: Random, ids: Ids): void {
  const spends = bank.accounts.some(({ type }) => type === 'credit' || type === 'depository')
  if (!spends || bank.backOffice.clearsOn.size > 0) return
  const pending = inventTransaction({ bank, random, today, ids, pending: true })
  book(bank, pending)
  bank.backOffice.clearsOn.set(pending.transaction_id, addDays(today, 1))
}
