// The pages by their address. Each is a separate script, which is loaded when it is first shown.
import { type ComponentType, lazy, type LazyExoticComponent } from 'react'
import { matchPath } from './router/match.ts'

type Params = Readonly<Record<string, string>>
type PageComponent = LazyExoticComponent<ComponentType<Params>>

export interface PageRoute {
  /** `/accounts/:id`. */
  readonly pattern: string
  readonly Component: PageComponent
  /** The label in the navigation; absent for pages that are reached from others. */
  readonly label?: string
  /** For administrators only. The API refuses others; the console does not offer it to them. */
  readonly isForOperators?: true
}

const NotFound: PageComponent = lazy(() => import('./pages/not-found.tsx'))

/** The order is that of the navigation. */
export const pages: readonly PageRoute[] = [
  { pattern: '/', label: 'Overview', Component: lazy(() => import('./pages/overview.tsx')) },
  { pattern: '/banks', label: 'Banks', Component: lazy(() => import('./pages/banks.tsx')) },
  { pattern: '/accounts', label: 'Accounts', Component: lazy(() => import('./pages/accounts.tsx')) },
  { pattern: '/accounts/:id', Component: lazy(() => import('./pages/account.tsx')) },
  { pattern: '/transactions', label: 'Transactions', Component: lazy(() => import('./pages/transactions.tsx')) },
  { pattern: '/spending', label: 'Spending', Component: lazy(() => import('./pages/spending.tsx')) },
  { pattern: '/spending/cash-flow', Component: lazy(() => import('./pages/cash-flow.tsx')) },
  { pattern: '/spending/recurring', Component: lazy(() => import('./pages/recurring.tsx')) },
  { pattern: '/investments', label: 'Investments', Component: lazy(() => import('./pages/investments.tsx')) },
  { pattern: '/investments/activity', Component: lazy(() => import('./pages/investment-activity.tsx')) },
  { pattern: '/debts', label: 'Debts', Component: lazy(() => import('./pages/debts.tsx')) },
  { pattern: '/settings', label: 'Settings', Component: lazy(() => import('./pages/privacy.tsx')) },
  { pattern: '/settings/security', Component: lazy(() => import('./pages/security.tsx')) },
  { pattern: '/settings/activity', Component: lazy(() => import('./pages/activity.tsx')) },
  { pattern: '/banks/:id/duplicates', Component: lazy(() => import('./pages/duplicates.tsx')) },
  {
    pattern: '/operations',
    label: 'Operations',
    isForOperators: true,
    Component: lazy(() => import('./pages/operations.tsx')),
  },
  {
    pattern: '/operations/items/:id',
    isForOperators: true,
    Component: lazy(() => import('./pages/operations-item.tsx')),
  },
  { pattern: '/operations/:list', isForOperators: true, Component: lazy(() => import('./pages/operations-list.tsx')) },
  { pattern: '/connect/return', Component: lazy(() => import('./pages/connect-return.tsx')) },
]

export interface FoundPage {
  readonly key: string
  readonly Component: PageComponent
  readonly params: Params
}

export function pageAt(pathname: string, isOperator: boolean): FoundPage {
  for (const { pattern, Component, isForOperators } of pages) {
    if (isForOperators === true && !isOperator) continue
    const params = matchPath(pattern, pathname)
    if (params !== null) return { key: pattern, Component, params }
  }
  return { key: 'not found', Component: NotFound, params: {} }
}
