// What Plaid's dashboard must hold and no call of its API shows.
import type { PlaidEnvironment } from './ports.ts'

interface Box {
  readonly what: string
  readonly where: string
  /** Needed in production only. */
  readonly isForProduction: boolean
}

const boxes: readonly Box[] = [
  {
    what: 'Production access of every product in PLAID_PRODUCTS; recurring transactions are a separate add-on',
    where: 'https://dashboard.plaid.com/overview/production',
    isForProduction: true,
  },
  {
    what: 'A use case for data transparency: without one, Link does not open in production',
    where: 'https://dashboard.plaid.com/link/data-transparency-v5',
    isForProduction: true,
  },
  {
    what: 'Company profile, application profile and security questionnaire, which banks with OAuth demand',
    where: 'https://dashboard.plaid.com/settings/company/compliance',
    isForProduction: true,
  },
  {
    what: 'Registration at banks with OAuth: some take weeks',
    where: 'https://dashboard.plaid.com/activity/status/oauth-institutions',
    isForProduction: true,
  },
  {
    what: 'Every redirect URI of every client, and every Android package (this command tries those that it is given)',
    where: 'https://dashboard.plaid.com/developers/api',
    isForProduction: false,
  },
]

/** The boxes of the dashboard, as lines to tick. */
export const dashboardLines = (environment: PlaidEnvironment): string[] =>
  boxes
    .filter(({ isForProduction }) => environment === 'production' || !isForProduction)
    .map(({ what, where }) => `[ ] ${what}: ${where}`)
