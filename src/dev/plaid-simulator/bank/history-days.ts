// How many days of history a bank has.

/** The most days that Plaid returns. */
export const historyDays = 730
