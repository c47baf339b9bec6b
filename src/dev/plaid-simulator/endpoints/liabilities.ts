// /liabilities/get: what is owed on cards, mortgages and student loans.
import { failure } from '../lib/failure.ts'
import { chosenAccounts, itemView } from '../state/item.ts'
import { accessToken, accountOptions, endpoint, readableItem, useProduct } from './endpoint.ts'

export const liabilitiesEndpoint = endpoint(
  '/liabilities/get',
  { access_token: accessToken, options: accountOptions },
  (world, body) => {
    const item = readableItem(world, body.access_token)
    useProduct(item, 'liabilities')
    const accounts = chosenAccounts(item, body.options?.account_ids)
    const wanted = new Set(accounts.map(({ account_id }) => account_id))
    const { credit, mortgage, student } = item.bank.liabilities()
    const own = <Row extends { account_id: string }>(rows: readonly Row[]): Row[] | null => {
      const chosen = rows.filter(({ account_id }) => wanted.has(account_id))
      return chosen.length > 0 ? chosen : null
    }
    const liabilities = { credit: own(credit), mortgage: own(mortgage), student: own(student) }
    const none = liabilities.credit === null && liabilities.mortgage === null && liabilities.student === null
    if (none) throw failure('NO_LIABILITY_ACCOUNTS')
    return { accounts, item: itemView(item), liabilities }
  },
)
