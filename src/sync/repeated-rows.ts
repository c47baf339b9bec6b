// Handles snapshots that list the same row twice. No row is dropped silently: a row that can be neither added up nor
// distinguished is set aside.
import { type RowKind, setAsideReadable, type SetAsideRow } from '../plaid/rows.ts'
import type { PlaidAccount, PlaidHolding } from '../plaid/schemas.ts'

interface RowName {
  readonly kind: RowKind
  readonly list: string
  readonly accountId: string
  readonly rowId: string | null
}

interface Distinct<Row> {
  readonly rows: readonly Row[]
  readonly setAside: readonly SetAsideRow[]
}

/** Keeps the last row of each key. Sets aside earlier rows that differ from it. */
export function lastOfEach<Row>(rows: readonly Row[], nameOf: (row: Row) => RowName): Distinct<Row> {
  const rowKey = (row: Row): string => {
    const { kind, accountId, rowId } = nameOf(row)
    return JSON.stringify(rowId === null ? [kind, accountId] : [rowId])
  }
  const lastByKey = new Map(rows.map((row) => [rowKey(row), row]))
  const earlier = new Map<string, Row>()
  for (const row of rows) {
    const text = JSON.stringify(row)
    if (text !== JSON.stringify(lastByKey.get(rowKey(row)))) earlier.set(text, row)
  }
  const setAside = [...earlier.values()].map((row, index) => {
    const { rowId, accountId, ...name } = nameOf(row)
    return setAsideReadable(row, { ...name, accountId, rowId, key: `${rowId ?? accountId} ${index}` }, 'repeated')
  })
  return { rows: [...lastByKey.values()], setAside }
}

const currencyOf = (row: {
  iso_currency_code: string | null
  unofficial_currency_code: string | null
}): string | null => row.iso_currency_code ?? row.unofficial_currency_code

/**
 * Keeps the rows of each holding that are in one currency, so that they can be added up: the account's currency if a
 * row has it, else the currency of the first row. Sets aside the other rows.
 */
export function inOneCurrency(
  holdings: readonly PlaidHolding[],
  accounts: readonly PlaidAccount[],
): Distinct<PlaidHolding> {
  const ofAccount = new Map(accounts.map((account) => [account.account_id, currencyOf(account.balances)]))
  const positionKey = ({ account_id: accountId, security_id: securityId }: PlaidHolding): string =>
    JSON.stringify([accountId, securityId])
  const chosen = new Map<string, string | null>()
  for (const holding of holdings) {
    const currency = currencyOf(holding)
    const isOfAccount = currency !== null && currency === ofAccount.get(holding.account_id)
    if (isOfAccount || !chosen.has(positionKey(holding))) chosen.set(positionKey(holding), currency)
  }
  const isChosen = (holding: PlaidHolding): boolean => currencyOf(holding) === chosen.get(positionKey(holding))
  const setAside = holdings
    .filter((holding) => !isChosen(holding))
    .map((holding, index) => {
      const { account_id: accountId, security_id: rowId } = holding
      const name = {
        kind: 'holding',
        list: 'holdings',
        accountId,
        rowId,
        key: `${accountId} ${rowId} ${index}`,
      } as const
      return setAsideReadable(holding, name, 'currency repeated')
    })
  return { rows: holdings.filter(isChosen), setAside }
}
