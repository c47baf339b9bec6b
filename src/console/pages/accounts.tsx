// The accounts by what they are: money, cards, investments, loans.
import { useQuery } from '@tanstack/react-query'
import type { Account, Item } from '@wealthnavigator/client'
import { Fragment } from 'react'
import { useClient } from '../api/context.tsx'
import { accountsQuery, itemsQuery } from '../api/queries.ts'
import { ConnectButton } from '../connect/button.tsx'
import { subtypeWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { IdsRow } from '../ui/ids.tsx'
import { Money } from '../ui/money.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Await, Empty } from '../ui/states.tsx'

const groups = [
  { type: 'depository', title: 'Cash', amount: 'Balance' },
  { type: 'credit', title: 'Cards', amount: 'Owed' },
  { type: 'investment', title: 'Investments', amount: 'Value' },
  { type: 'loan', title: 'Loans', amount: 'Owed' },
] as const

const isKnown = (type: string): boolean => groups.some((group) => group.type === type)

function Tags({ account }: { readonly account: Account }) {
  const tags = [
    ...(account.hidden ? ['Hidden'] : []),
    ...(account.closed ? ['Closed'] : []),
    ...(account.in_insights ? [] : ['Not in sums']),
    ...(account.possible_duplicate ? ['Possible duplicate'] : []),
  ]
  return tags.map((tag) => (
    <span key={tag} className="tag">
      {tag}
    </span>
  ))
}

interface GroupProps {
  readonly title: string
  readonly amount: string
  readonly accounts: readonly Account[]
  readonly items: readonly Item[]
}

function Group({ title, amount, accounts, items }: GroupProps) {
  if (accounts.length === 0) return null
  const bankOf = ({ item_id: id }: Account): string => items.find((item) => item.id === id)?.institution.name ?? 'Bank'
  return (
    <Card title={title}>
      <table className="rows">
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col" className="wide-only">
              Bank
            </th>
            <th scope="col" className="number wide-only">
              Available
            </th>
            <th scope="col" className="number">
              {amount}
            </th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <Fragment key={account.id}>
              <tr>
                <th scope="row">
                  <Link to={`/accounts/${account.id}`}>{account.name}</Link> <Tags account={account} />
                  <span className="sub">
                    {subtypeWords(account.type, account.subtype)}
                    {account.mask === null ? null : ` ··${account.mask}`}
                    <span className="narrow-only"> · {bankOf(account)}</span>
                  </span>
                </th>
                <td className="wide-only">{bankOf(account)}</td>
                <td className="number wide-only">
                  {account.balances.available === null ? (
                    '–'
                  ) : (
                    <Money amount={account.balances.available} currency={account.balances.currency} />
                  )}
                </td>
                <td className="number strong">
                  <Money
                    amount={account.balances.current ?? account.balances.available}
                    currency={account.balances.currency}
                  />
                </td>
              </tr>
              <IdsRow
                of={account.name}
                ids={[
                  { label: 'Account', value: account.id },
                  { label: 'Plaid account', value: account.plaid_account_id },
                  { label: 'Item', value: account.item_id },
                ]}
              />
            </Fragment>
          ))}
        </tbody>
      </table>
    </Card>
  )
}

function Groups({ accounts, items }: Pick<GroupProps, 'accounts' | 'items'>) {
  const others = accounts.filter(({ type }) => !isKnown(type))
  return (
    <>
      {groups.map(({ type, ...group }) => (
        <Group key={type} {...group} items={items} accounts={accounts.filter((account) => account.type === type)} />
      ))}
      <Group title="Other" amount="Balance" items={items} accounts={others} />
    </>
  )
}

export default function Accounts() {
  const client = useClient()
  const query = useQuery(accountsQuery(client))
  const { data: items = [] } = useQuery(itemsQuery(client))
  return (
    <Page title="Accounts">
      <Await query={query} label="Loading your accounts">
        {(accounts) =>
          accounts.length === 0 ? (
            <Empty title="There are no accounts yet" action={<ConnectButton />}>
              Connect a bank, and choose the accounts to share.
            </Empty>
          ) : (
            <Groups accounts={accounts} items={items} />
          )
        }
      </Await>
    </Page>
  )
}
