// The user's decision about an account that may duplicate another one.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { type Account, getAccount } from '../db/records/accounts.ts'
import { listDuplicates, resolveDuplicate } from '../db/items/duplicates.ts'
import { findOwnItem } from '../db/items/items.ts'
import { type KnownAccount, readKnownAccounts } from '../db/records/known-accounts.ts'
import { AppError } from '../errors.ts'
import { announceOwn } from '../live/announce.ts'

/** Attempts while syncs change the accounts. */
const attempts = 3

const isLive = (account: KnownAccount): boolean => !account.isLost && !account.isClosed

/**
 * Merges a duplicate into another account, with notes, categories and history, or keeps both (`mergeInto` null). If
 * both are accounts of live items, they stay separate rows and only one of them counts. Returns the remaining account,
 * which has the id of the one merged into.
 * @throws AppError `not_found` if the item has no such duplicate or the user no such other account; `conflict` if the
 * types differ or syncs keep changing the accounts
 */
export async function settleDuplicate(
  ctx: Ctx<User>,
  itemId: string,
  accountId: string,
  mergeInto: string | null,
): Promise<Account> {
  const { api, jobs } = ctx.services
  const { identity } = ctx.actor
  const [item, duplicates] = await Promise.all([
    findOwnItem(api, identity, itemId),
    listDuplicates(api, identity, itemId),
  ])
  if (item === null || !duplicates?.some((duplicate) => duplicate.accountId === accountId)) throw notFound()
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { accounts, version } = await readKnownAccounts(jobs, item.userId)
    const later = accounts.find(({ id }) => id === accountId)
    if (later === undefined) throw notFound()
    const earlier = mergeInto === null ? null : partnerOf(later, accounts, mergeInto)
    const kind = earlier === null ? 'keep' : isLive(earlier) ? 'same' : 'merge'
    const into = earlier?.id ?? null
    const row = await audit(ctx, { action: 'duplicate_resolved', target: accountId })
    if (await resolveDuplicate(jobs, { userId: item.userId, accountId, kind, into, version }, row)) {
      const left = await getAccount(api, identity, kind === 'merge' && into !== null ? into : accountId)
      if (left === null) throw notFound()
      await announceOwn(ctx, [itemId])
      return left
    }
  }
  throw new AppError('conflict', 'The accounts are being read from the bank. Try again shortly.', {
    retryAfterSeconds: 5,
  })
}

function partnerOf(later: KnownAccount, accounts: readonly KnownAccount[], id: string): KnownAccount {
  const earlier = accounts.find((account) => account.id === id && account.id !== later.id)
  if (earlier === undefined) throw new AppError('not_found', 'There is no such account to merge into.')
  if (earlier.type !== later.type) throw new AppError('conflict', 'Accounts of different types cannot be merged.')
  return earlier
}

const notFound = (): AppError => new AppError('not_found', 'The item has no such duplicate.')
