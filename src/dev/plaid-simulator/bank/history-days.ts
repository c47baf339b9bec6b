// How far back a bank remembers.

/** Days of history behind `today`: the most that Plaid ever gives. */
export const historyDays = 730
