// The bank of a custom user. It has exactly the data of the custom user's JSON, digit for digit, and invents nothing.
import { currencyOf } from './currency.ts'
import { inflowsOf } from './custom-inflow.ts'
import { addCustomInvestments } from './custom-investments.ts'
import { creditLiability, studentLiability } from './custom-liabilities.ts'
import type { CustomAccount } from './custom-user.ts'
import { sameCurrency, total } from './booking.ts'
import type { Account, AccountNumbers, Bank, Owner, Transaction } from './model.ts'
import { addExact, exact, subtractExact } from './number.ts'
import { numbersOf } from './numbers.ts'
import { sampleOwner } from './postal.ts'
import { transactionOf } from './posting.ts'
import { randomFrom } from './random.ts'
import type { Day, Ids, RawNumber } from './values.ts'

export interface OpenCustomBank {
  accounts: readonly CustomAccount[]
  today: Day
  ids: Ids
}

/** Opens the bank of a custom user, as of the end of `today`. */
export function openCustomBank({ accounts, today, ids }: OpenCustomBank): Bank {
  const bank: Bank = {
    accounts: [],
    closedAccountIds: new Set(),
    transactions: [],
    securities: [],
    holdings: [],
    investmentTransactions: [],
    liabilities: { credit: [], mortgage: [], student: [] },
    owners: new Map(),
    numbers: new Map(),
    backOffice: {
      household: null,
      clearsOn: new Map(),
      fixedAvailable: new Set(),
      pricesInCents: new Map(),
      otherSides: new Map(),
      openings: new Map(),
      inflows: [],
    },
  }
  for (const custom of accounts) addAccount(bank, custom, today, ids)
  for (const account of bank.accounts) setOpening(bank, account)
  // The sort is stable: transactions of one day keep the order of the JSON.
  bank.transactions.sort((left, right) => (left.date < right.date ? -1 : Number(left.date > right.date)))
  return bank
}

function addAccount(bank: Bank, custom: CustomAccount, today: Day, ids: Ids): void {
  const account = accountFrom(custom, bank.accounts.length, ids)
  const { account_id } = account
  bank.accounts.push(account)
  bank.owners.set(account_id, [ownerOf(custom)])
  const numbers = numbersFrom(custom, account)
  if (numbers !== undefined) bank.numbers.set(account_id, numbers)
  const transactions = [
    ...transactionsOf(bank, custom, account, today, ids),
    ...inflowsOf(bank, custom, account, today, ids),
  ]
  bank.transactions.push(...transactions)
  setAvailable(bank, custom, account, transactions)
  addCustomInvestments(bank, custom, account, ids)
  if (account.type === 'investment' && custom.starting_balance == null) account.balances.current = worth(bank, account)
  if (account.type === 'credit') bank.liabilities.credit.push(creditLiability(account, custom.liability ?? {}, today))
  if (custom.liability?.type === 'student' || account.subtype === 'student') {
    bank.liabilities.student.push(studentLiability(account, custom.liability ?? {}, today))
  }
}

function accountFrom(custom: CustomAccount, index: number, ids: Ids): Account {
  const { meta } = custom
  const subtype = custom.subtype ?? null
  const title = (subtype ?? custom.type).replace(/^./, (letter) => letter.toUpperCase())
  return {
    account_id: ids('account'),
    balances: {
      available: null,
      current: custom.starting_balance ?? openingOf(custom),
      limit: meta?.limit ?? null,
      ...currencyOf(custom.currency ?? 'USD'),
    },
    mask: meta?.mask ?? custom.numbers?.['account']?.slice(-4) ?? String(index % 10).repeat(4),
    name: meta?.name ?? `Plaid ${title}`,
    official_name: meta?.official_name ?? null,
    type: custom.type === 'payroll' ? 'other' : custom.type,
    subtype,
    holder_category: 'personal',
  }
}

function openingOf({ type, liability }: CustomAccount): RawNumber {
  return type === 'loan' ? (liability?.principal ?? exact('0')) : exact('0')
}

/** A posting date in the future makes the transaction pending; it posts on that date (Plaid, custom users). */
function transactionsOf(bank: Bank, custom: CustomAccount, account: Account, today: Day, ids: Ids): Transaction[] {
  return (custom.transactions ?? []).map((given) => {
    const pending = given.date_posted > today
    const draft = {
      account,
      amount: given.amount,
      day: given.date_transacted,
      statement: given.description,
      ...(given.currency == null ? {} : { currency: currencyOf(given.currency) }),
    }
    const date = pending ? given.date_transacted : given.date_posted
    const transaction = transactionOf(draft, { id: ids('transaction'), pending, date })
    if (pending) bank.backOffice.clearsOn.set(transaction.transaction_id, given.date_posted)
    return transaction
  })
}

function setAvailable(bank: Bank, custom: CustomAccount, account: Account, transactions: Transaction[]): void {
  const { balances, type } = account
  const forced = custom.has_null_available_balance === true ? null : custom.force_available_balance
  if (forced !== undefined && (forced !== null || custom.has_null_available_balance === true)) {
    balances.available = forced
    bank.backOffice.fixedAvailable.add(account.account_id)
    return
  }
  if (type === 'loan' || type === 'investment' || balances.current === null) return
  const waiting = total(
    transactions.filter((posting) => posting.pending && sameCurrency(posting, balances)).map(({ amount }) => amount),
  )
  if (type !== 'credit') balances.available = subtractExact(balances.current, waiting)
  else if (balances.limit !== null) {
    balances.available = subtractExact(subtractExact(balances.limit, balances.current), waiting)
  }
}

/** A custom user names the balance after all transactions. */
function setOpening({ transactions, backOffice }: Bank, { account_id, type, balances }: Account): void {
  if (balances.current === null) return
  const posted = transactions.filter(
    (row) => row.account_id === account_id && !row.pending && sameCurrency(row, balances),
  )
  const moved = total(posted.map(({ amount }) => amount))
  const owed = type === 'credit' || type === 'loan'
  backOffice.openings.set(account_id, owed ? subtractExact(balances.current, moved) : addExact(balances.current, moved))
}

/** The value of the account's holdings in the account's currency. */
function worth({ holdings }: Bank, { account_id, balances }: Account): RawNumber {
  const own = holdings.filter((holding) => holding.account_id === account_id && sameCurrency(holding, balances))
  return total(own.map(({ institution_value }) => institution_value))
}

function ownerOf({ identity }: CustomAccount): Owner {
  if (identity == null) return sampleOwner()
  const { names, phone_numbers, emails, addresses } = identity
  return {
    names,
    phone_numbers,
    emails,
    addresses: addresses.map(({ data, primary }) => ({
      data: {
        city: data.city ?? null,
        region: data.region ?? null,
        street: data.street ?? '',
        postal_code: data.postal_code ?? null,
        country: data.country ?? null,
      },
      primary,
    })),
  }
}

function numbersFrom({ numbers }: CustomAccount, account: Account): AccountNumbers | undefined {
  const invented = numbersOf(account, randomFrom(`numbers/${account.name}`))
  if (numbers == null) return invented
  const { account_id } = account
  const own = numbers['account'] ?? invented?.ach?.account ?? '0000000000'
  const { ach_routing, ach_wire_routing, eft_institution, eft_branch } = numbers
  const { international_iban: iban, international_bic: bic, bacs_sort_code } = numbers
  return {
    ach: {
      account_id,
      account: own,
      routing: ach_routing ?? invented?.ach?.routing ?? '011401533',
      wire_routing: ach_wire_routing ?? null,
      is_tokenized_account_number: false,
    },
    eft:
      eft_institution == null || eft_branch == null
        ? null
        : { account_id, account: own, institution: eft_institution, branch: eft_branch },
    international: iban == null || bic == null ? null : { account_id, iban, bic },
    bacs: bacs_sort_code == null ? null : { account_id, account: own, sort_code: bacs_sort_code },
  }
}
