// How many days of history a bank has at most.

/** The most days that Plaid returns. */
export const longestHistoryDays = 730
