// Builds a posting as Plaid's Transaction. Unknown fields are null.
import { type Merchant, websiteOf } from './merchants.ts'
import type { Account, Counterparty, Location, OtherSide, PaymentMeta, Transaction } from './model.ts'
import { exact } from './number.ts'
import { randomFrom } from './random.ts'
import type { Currency, Day, RawNumber } from './values.ts'

/** A posting before it has an id. */
export interface Draft {
  account: Account
  amount: RawNumber
  /** The day of the authorisation. */
  day: Day
  /** The text on the bank statement. */
  statement: string
  merchant?: Merchant
  /** Detailed category, if there is no merchant to give it. */
  category?: string
  /** The other party, if it is not a merchant. */
  counterparty?: Pick<Counterparty, 'name' | 'type'>
  payment?: Partial<PaymentMeta>
  checkNumber?: string
  /** The currency, if it differs from the account's. */
  currency?: Currency
  channel?: Transaction['payment_channel']
  /** The other side of the posting; absent if it is outside the household. */
  other?: OtherSide
}

/** When and under which id a draft appears. */
export interface Appearance {
  id: string
  pending: boolean
  /** Plaid's `date`: the day of the purchase while pending, then the day of the posting. */
  date: Day
}

// Primary categories of Plaid's taxonomy v2.
const primaries =
  'INCOME LOAN_DISBURSEMENTS LOAN_PAYMENTS TRANSFER_IN TRANSFER_OUT BANK_FEES ENTERTAINMENT FOOD_AND_DRINK GENERAL_MERCHANDISE HOME_IMPROVEMENT MEDICAL PERSONAL_CARE GENERAL_SERVICES GOVERNMENT_AND_NON_PROFIT TRANSPORTATION TRAVEL RENT_AND_UTILITIES OTHER'.split(
    ' ',
  )

const nowhere: Location = {
  address: null,
  city: null,
  region: null,
  postal_code: null,
  country: null,
  lat: null,
  lon: null,
  store_number: null,
}

const noPaymentMeta: PaymentMeta = {
  reference_number: null,
  ppd_id: null,
  payee: null,
  by_order_of: null,
  payer: null,
  payment_method: null,
  payment_processor: null,
  reason: null,
}

/** Makes Plaid's transaction from a draft. */
export function transactionOf(draft: Draft, { id, pending, date }: Appearance): Transaction {
  const { account, amount, day, statement, merchant } = draft
  const { iso_currency_code, unofficial_currency_code } = draft.currency ?? account.balances
  return {
    transaction_id: id,
    account_id: account.account_id,
    account_owner: null,
    pending_transaction_id: null,
    pending,
    amount,
    iso_currency_code,
    unofficial_currency_code,
    date,
    authorized_date: day,
    datetime: null,
    authorized_datetime: merchant === undefined ? null : `${day}T${timeOf(`${day}/${statement}/${amount.rawJSON}`)}Z`,
    name: statement,
    original_description: statement,
    ...merchantFields(merchant),
    check_number: draft.checkNumber ?? null,
    payment_channel: draft.channel ?? merchant?.channel ?? 'other',
    payment_meta: { ...noPaymentMeta, ...draft.payment },
    location: merchant?.channel === 'in store' ? placeOf(merchant) : { ...nowhere },
    counterparties: counterpartiesOf(draft),
    transaction_code: null,
    transaction_type: typeOf(draft),
    ...categoryFields(draft),
  }
}

/** A merchant's id at Plaid. It depends on the name alone, because it is the same at every bank. */
export function merchantEntityId(name: string): string {
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'
  const random = randomFrom(`merchant/${name}`)
  return Array.from({ length: 37 }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join('')
}

/**
 * The primary category of a detailed one.
 * @throws RangeError if the taxonomy does not have it
 */
export function primaryOf(detailed: string): string {
  const primary = primaries.find((candidate) => detailed.startsWith(`${candidate}_`))
  if (primary === undefined) throw new RangeError(`no such category: ${detailed}`)
  return primary
}

function merchantFields(
  merchant: Merchant | undefined,
): Pick<Transaction, 'merchant_name' | 'merchant_entity_id' | 'logo_url' | 'website'> {
  if (merchant === undefined) return { merchant_name: null, merchant_entity_id: null, logo_url: null, website: null }
  return {
    merchant_name: merchant.name,
    merchant_entity_id: merchantEntityId(merchant.name),
    logo_url: `https://logos.example.com/${websiteOf(merchant).split('.', 1)[0] ?? ''}.png`,
    website: websiteOf(merchant),
  }
}

function categoryFields({
  merchant,
  category,
}: Draft): Pick<Transaction, 'personal_finance_category' | 'personal_finance_category_icon_url'> {
  const detailed = category ?? merchant?.category ?? null
  const primary = detailed === null ? null : primaryOf(detailed)
  return {
    personal_finance_category:
      detailed === null || primary === null
        ? null
        : { primary, detailed, confidence_level: merchant?.confidence ?? 'HIGH', version: 'v2' },
    personal_finance_category_icon_url: `https://categories.example.com/PFC_${primary ?? 'OTHER'}.png`,
  }
}

function counterpartiesOf({ merchant, counterparty }: Draft): Counterparty[] {
  if (merchant !== undefined) {
    const { merchant_entity_id: entity_id, website, logo_url } = merchantFields(merchant)
    const entity = { entity_id, website, logo_url }
    return [{ name: merchant.name, type: 'merchant', ...entity, confidence_level: merchant.confidence }]
  }
  if (counterparty === undefined) return []
  return [{ ...counterparty, entity_id: null, website: null, logo_url: null, confidence_level: 'HIGH' }]
}

function typeOf({ merchant, checkNumber, counterparty }: Draft): Transaction['transaction_type'] {
  if (merchant !== undefined) return merchant.channel === 'online' ? 'digital' : 'place'
  return checkNumber !== undefined || counterparty !== undefined ? 'special' : 'unresolved'
}

function placeOf({ name, currency }: Merchant): Location {
  const random = randomFrom(`place/${name}`)
  const number = 10 + Math.floor(random() * 900)
  if (currency !== undefined) return { ...nowhere, country: currency.country }
  return {
    address: `${number} Market Street`,
    city: 'Willow Falls',
    region: 'OH',
    postal_code: '44000',
    country: 'US',
    lat: exact(`41.${100 + number}`),
    lon: exact(`-81.${100 + number}`),
    store_number: String(1000 + number),
  }
}

// The time depends on the purchase alone: it uses no draw of the day's random numbers and is the same after the login
// is linked again.
function timeOf(purchase: string): string {
  const minutes = Math.floor(randomFrom(`time/${purchase}`)() * 840)
  const hour = String(8 + Math.floor(minutes / 60)).padStart(2, '0')
  return `${hour}:${String(minutes % 60).padStart(2, '0')}:00`
}
