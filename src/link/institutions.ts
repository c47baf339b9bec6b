// Institutions at which a second link affects the first.

/** Chase, PNC, Navy Federal Credit Union, Charles Schwab: a second item of the same login can end the first (Plaid). */
const oneItemOnly: ReadonlySet<string> = new Set(['ins_56', 'ins_13', 'ins_15', 'ins_11'])

/** Whether a second item of the same login may put the first into ITEM_LOGIN_REQUIRED. */
export const secondItemEndsFirst = (institutionId: string | null): boolean =>
  institutionId !== null && oneItemOnly.has(institutionId)
