// Links between the pages of one area.
import { useRef } from 'react'
import { Link } from '../router/link.tsx'
import { useCurrentInView } from '../router/current-in-view.ts'
import { useLocation } from '../router/location.ts'

export interface Tab {
  readonly to: string
  readonly label: string
}

export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  const { pathname } = useLocation()
  const nav = useRef<HTMLElement>(null)
  useCurrentInView(nav)
  return (
    <nav ref={nav} className="tabs" aria-label={label}>
      <ul>
        {tabs.map((tab) => (
          <li key={tab.to}>
            <Link to={tab.to} aria-current={pathname === tab.to ? 'page' : undefined}>
              {tab.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

export const spendingTabs: readonly Tab[] = [
  { to: '/spending', label: 'By category' },
  { to: '/spending/cash-flow', label: 'Cash flow' },
  { to: '/spending/recurring', label: 'Recurring' },
]

export const investmentTabs: readonly Tab[] = [
  { to: '/investments', label: 'Holdings' },
  { to: '/investments/activity', label: 'Activity' },
]

export const settingsTabs: readonly Tab[] = [
  { to: '/settings', label: 'Privacy' },
  { to: '/settings/security', label: 'Security' },
  { to: '/settings/activity', label: 'Activity' },
]
