// Two lists of what happened, newest first: in the investment accounts, and with the person's data.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { Account, AuditRow, InvestmentTransaction } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { investmentFilterIn, investmentTransactionsQuery } from '../api/investments.ts'
import { auditQuery } from '../api/own-data.ts'
import { accountsQuery } from '../api/queries.ts'
import { formatTime, localDay } from '../format/dates.ts'
import { isZero } from '../format/decimal.ts'
import { formatDecimal, formatMoney, isNegative, negated } from '../format/money.ts'
import { capitalized, spaced } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { actionWords, actorWords } from '../security/audit-words.ts'
import { AccountFilter } from '../ui/account-filter.tsx'
import { Days, LedgerRow } from '../ui/ledger.tsx'
import { Flow } from '../ui/money.tsx'
import { Page } from '../ui/page.tsx'
import { Paged } from '../ui/paged.tsx'
import { investmentTabs, settingsTabs, Tabs } from '../ui/tabs.tsx'

/** `Sell`, or the kind beside the type where it says more: `Cash: dividend`. */
const kindOf = ({ type, subtype }: InvestmentTransaction): string =>
  subtype === '' || subtype === type ? capitalized(type) : `${capitalized(type)}: ${subtype}`

function unitsOf({ quantity, price, currency, security }: InvestmentTransaction): string | null {
  if (security === null || isZero(quantity)) return null
  const units = formatDecimal(isNegative(quantity) ? negated(quantity) : quantity)
  return price === null || isZero(price) ? `${units} units` : `${units} × ${formatMoney(price, currency)}`
}

const feesOf = ({ fees, currency }: InvestmentTransaction): string | null =>
  fees === null || isZero(fees) ? null : `with ${formatMoney(fees, currency)} of fees`

function Investment({ row, account }: { readonly row: InvestmentTransaction; readonly account: Account | undefined }) {
  const details = [kindOf(row), row.security?.ticker_symbol ?? null, unitsOf(row), account?.name ?? null]
  return (
    <LedgerRow
      title={row.name === '' ? (row.security?.name ?? 'Unnamed') : row.name}
      lines={[details.filter((text) => text !== null).join(' · '), feesOf(row)]}
      aside={<Flow amount={row.amount} currency={row.currency} />}
      links={
        <>
          <Link to={`/accounts/${row.account_id}`}>See the account</Link>
          <Link to={`/investments?account_id=${row.account_id}`}>Its holdings</Link>
        </>
      }
      ids={[
        { label: 'Investment transaction', value: row.id },
        { label: 'Plaid investment transaction', value: row.plaid_investment_transaction_id },
        { label: 'Account', value: row.account_id },
      ]}
    />
  )
}

export function InvestmentActivity() {
  const client = useClient()
  const [params] = useSearch()
  const filter = investmentFilterIn(params)
  const query = useInfiniteQuery(investmentTransactionsQuery(client, filter))
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  const byId = new Map(accounts.map((account) => [account.id, account]))
  const empty =
    Object.keys(filter).length > 0
      ? { title: 'Nothing matches', text: 'Choose another account.' }
      : { title: 'There is no activity', text: 'Purchases, sales, dividends and fees appear here.' }
  return (
    <Page title="Investment activity">
      <Tabs label="Investments" tabs={investmentTabs} />
      <AccountFilter accounts={accounts} types={['investment']} />
      <Paged query={query} label="the activity" empty={empty}>
        {(rows) => (
          <section className="card">
            <h2 className="visually-hidden">All activity</h2>
            <Days rows={rows} dayOf={({ date }) => date}>
              {(row) => <Investment key={row.id} row={row} account={byId.get(row.account_id)} />}
            </Days>
          </section>
        )}
      </Paged>
    </Page>
  )
}

const Deed = ({ row }: { readonly row: AuditRow }) => (
  <LedgerRow
    title={actionWords(row.action)}
    lines={[actorWords(row.actor)]}
    aside={
      <time className="muted" dateTime={row.at}>
        {formatTime(row.at)}
      </time>
    }
    ids={[
      { label: 'Audit row', value: row.id },
      { label: 'Request', value: row.request_id },
      { label: `Of the ${spaced(row.target_kind)}`, value: row.target_id },
    ]}
  />
)

export function OwnActivity() {
  const query = useInfiniteQuery(auditQuery(useClient()))
  return (
    <Page
      title="Activity"
      lead="What was done with your data: by you, by administrators and by this server. Your own reading is not recorded."
    >
      <Tabs label="Settings" tabs={settingsTabs} />
      <Paged
        query={query}
        label="the activity"
        empty={{ title: 'Nothing was done yet', text: 'The first entry appears with your first bank.' }}
      >
        {(rows) => (
          <section className="card">
            <h2 className="visually-hidden">All entries</h2>
            <Days rows={rows} dayOf={({ at }) => localDay(at)}>
              {(row) => <Deed key={row.id} row={row} />}
            </Days>
          </section>
        )}
      </Paged>
    </Page>
  )
}
