// The texts of the types of events. Read when docs/openapi.json is written, never for a request.

interface EventTypeText {
  readonly summary: string
  readonly description: string
}

const snapshot = (what: string): EventTypeText => ({
  summary: `${what} changed`,
  description: `A sync stored other ${what.toLowerCase()} of the item. Read the list again.`,
})

export const eventTypeTexts: Readonly<Record<string, EventTypeText>> = {
  'transactions.changed': {
    summary: 'Transactions changed',
    description:
      'A sync, an edit, a removal or the retention changed transactions of the item. Read the change feed ' +
      'from your own `next_since`: a copy that has read up to `next_since` of the event has the changes.',
  },
  'accounts.changed': snapshot('Accounts'),
  'holdings.changed': snapshot('Holdings'),
  'investment_transactions.changed': snapshot('Investment transactions'),
  'liabilities.changed': snapshot('Liabilities'),
  'recurring.changed': snapshot('Recurring streams'),
  'item.linked': { summary: 'Item linked', description: 'An item was linked, or linked again.' },
  'item.status_changed': {
    summary: 'Item status changed',
    description: 'The status of the item changed, and with it perhaps what its user has to do.',
  },
  'item.new_accounts': {
    summary: 'New accounts available',
    description: 'The institution has accounts that the user can add, in update mode with `account_selection`.',
  },
  'item.removed': {
    summary: 'Item removed',
    description: 'The item was removed, by its user or by the retention. Its data are hidden.',
  },
  'sync.failed': {
    summary: 'Sync failed',
    description: 'A product of the item could not be read: the first of consecutive failures. It is tried again.',
  },
  'user.erased': {
    summary: 'User erased',
    description:
      'The person and everything about them were erased. Only for endpoints of applications and of administrators.',
  },
  ping: { summary: 'Test', description: 'A test, requested by `/ping`.' },
  'endpoint.verification': {
    summary: 'Challenge',
    description: 'Asks the endpoint whether it wants events. Sent before the first event.',
  },
}
