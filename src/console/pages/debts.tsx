// Cards, mortgages and student loans: what is owed, what is due next, and on which terms.
import { useQuery } from '@tanstack/react-query'
import type { Account, Liability } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { liabilitiesQuery } from '../api/investments.ts'
import { accountsQuery } from '../api/queries.ts'
import { ConnectButton } from '../connect/button.tsx'
import { factsOf, nextPaymentOf } from '../debts/facts.ts'
import { formatDay } from '../format/dates.ts'
import { subtypeWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { Ids } from '../ui/ids.tsx'
import { Money } from '../ui/money.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Await, Empty } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'

const kinds = { credit: 'Card', mortgage: 'Mortgage', student: 'Student loan' } as const

function Debt({ liability, account }: { readonly liability: Liability; readonly account: Account | undefined }) {
  const currency = account?.balances.currency ?? null
  const { day, amount, isOverdue } = nextPaymentOf(liability)
  const facts = factsOf(liability, currency)
  return (
    <Card
      title={account?.name ?? kinds[liability.kind]}
      actions={isOverdue ? <Status tone="bad">Overdue</Status> : undefined}
    >
      <dl className="pair large">
        <div>
          <dt>You owe</dt>
          <dd>
            <Money amount={account?.balances.current ?? null} currency={currency} />
          </dd>
        </div>
        <div>
          <dt>{liability.kind === 'credit' ? 'Pay at least' : 'Next payment'}</dt>
          <dd>
            <Money amount={amount} currency={currency} />
          </dd>
        </div>
        <div>
          <dt>Due</dt>
          <dd>{day === null ? <span className="muted">not reported</span> : formatDay(day)}</dd>
        </div>
      </dl>
      {facts.length === 0 ? null : (
        <dl className="facts">
          {facts.map(({ name, text }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      )}
      {account === undefined ? null : (
        <p className="muted">
          {subtypeWords(account.type, account.subtype)}
          {account.mask === null ? '' : ` ··${account.mask}`}
          {' · '}
          <Link to={`/accounts/${account.id}`}>See the account</Link>
          {' · '}
          <Link to={`/transactions?account_id=${account.id}`}>Its transactions</Link>
        </p>
      )}
      <Ids
        of={account?.name ?? kinds[liability.kind]}
        ids={[
          { label: 'Liability', value: liability.id },
          { label: 'Account', value: liability.account_id },
        ]}
      />
    </Card>
  )
}

/** What is due first is first. */
const dueFirst = (a: Liability, b: Liability): number =>
  (nextPaymentOf(a).day ?? '9999').localeCompare(nextPaymentOf(b).day ?? '9999')

export default function Debts() {
  const client = useClient()
  const query = useQuery(liabilitiesQuery(client))
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  return (
    <Page title="Debts" lead="Cards and loans, the next payment first.">
      <Await query={query} label="Loading your debts">
        {(liabilities) =>
          liabilities.length === 0 ? (
            <Empty title="There are no debts" action={accounts.length === 0 ? <ConnectButton /> : undefined}>
              Cards, mortgages and student loans appear here, if the bank reports their terms.
            </Empty>
          ) : (
            liabilities
              .toSorted(dueFirst)
              .map((liability) => (
                <Debt
                  key={liability.id}
                  liability={liability}
                  account={accounts.find(({ id }) => id === liability.account_id)}
                />
              ))
          )
        }
      </Await>
    </Page>
  )
}
