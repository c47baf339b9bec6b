// Exchanges Link's public token for an item, as a saga: stores the intent before it calls Plaid, and the access token
// before it uses it. The reconciler resumes an unfinished exchange (finish-exchange.ts, reconcile.ts). Guarantees that
// no billed Plaid item is left untracked.
import type { AuditRow } from '../db/audit/record.ts'
import { audit } from '../audit/audit.ts'
import { aboutUser, type Ctx, type User } from '../context.ts'
import { createSecret, type Secret } from '../crypto/secret.ts'
import { getItem, type Item } from '../db/items/items.ts'
import {
  beginExchange,
  type EarlierExchange,
  endUnexchanged,
  type Exchange,
  storeExchangedToken,
} from '../db/link/exchanges.ts'
import type { KnownAccount } from '../db/records/known-accounts.ts'
import { AppError } from '../errors.ts'
import { retryWhileUnavailable } from '../retry.ts'
import { sealAccessToken } from '../custody/access-token.ts'
import { servingUser } from '../items/serving-user.ts'
import { notAllowed } from '../privacy/purposes.ts'
import { isOutcomeUnknown, type PlaidFailure } from '../plaid/errors.ts'
import { toAppError } from '../plaid/app-error.ts'
import { capError } from './caps.ts'
import { type Finished, finishExchange } from './finish-exchange.ts'
import { secondItemEndsFirst } from './institutions.ts'
import { requireOwnSession } from './prove-owner.ts'
import { type DuplicateItem, relatedItems } from './related-items.ts'
import { tokenDigest } from '../custody/link-token.ts'

/**
 * The latest start of the call of Plaid. With 5 s for the rate limiter and 15 s for the call, the token arrives within
 * 25 s of the 30 s that Cloudflare grants after a client disconnects.
 */
const latestStartMs = 5000
/** Attempts to store the token. After the last one, the item is removed at Plaid. */
const storeAttempts = 3

export interface ExchangeInput {
  readonly publicToken: string
  /** The link token that Link was opened with. */
  readonly linkToken?: string | null
  /** Whether Plaid returned the public token for a link token of this user. */
  readonly isFromPlaid?: boolean
  /** Link's metadata, by which a duplicate is found before the exchange. */
  readonly institution: { readonly id: string; readonly name: string } | null
  readonly accounts?: readonly {
    readonly name: string | null
    readonly mask: string | null
    readonly subtype: string | null
  }[]
  readonly allowDuplicate?: boolean
}

/**
 * Exchanges the public token, stores the item and enqueues its products. Returns the same item for the same public
 * token.
 * @throws AppError `link_token_refused` (the link token or the public token is another user's), `public_token_refused`,
 * `duplicate_item`, `too_many_items`, `too_many_links`, `purpose_not_allowed`, `conflict` (the same exchange is in progress),
 * `plaid_unavailable`
 */
export async function exchangePublicToken(given: Ctx<User>, input: ExchangeInput): Promise<Item> {
  const startedAtMs = given.now().getTime()
  const id = given.services.newId()
  const allowDuplicate = input.allowDuplicate ?? false
  const obtained = await audit(given, { action: 'access_token_obtained', target: id })
  const beginning = await beginExchange(
    given.services.api,
    given.actor.identity,
    {
      id,
      publicTokenDigest: await tokenDigest(input.publicToken),
      linkTokenDigest: input.linkToken ? await tokenDigest(input.linkToken) : null,
      allowDuplicate,
    },
    given.services.config.linking,
  )
  switch (beginning.kind) {
    case 'not_owned':
      throw new AppError('link_token_refused', 'This link token was not created for this user.')
    case 'not_allowed':
      throw notAllowed('linking_and_sync')
    case 'capped':
      throw capError(beginning.reached)
    case 'earlier':
      return await resumeExchange(given, beginning.earlier)
    case 'begun': {
      given.services.freeze.noteWritten(startedAtMs)
      const { userId, plaidUserId, known } = beginning
      const ctx = servingUser(aboutUser(given, userId), userId)
      await refuseDuplicate(ctx, id, input, known)
      if (plaidUserId === null && input.isFromPlaid !== true) await refuseForeign(ctx, id, input)
      await refuseLate(ctx, id, startedAtMs)
      const intent = { id, userId, allowDuplicate, plaidUserId, obtained }
      const exchange = await exchangeAtPlaid(ctx, intent, createSecret(input.publicToken))
      return await itemOrError(ctx, await finishExchange(ctx, exchange))
    }
  }
}

/** Finds a duplicate by Link's metadata, before the public token is used. */
async function refuseDuplicate(
  ctx: Ctx<User>,
  id: string,
  { institution, accounts, allowDuplicate }: ExchangeInput,
  known: readonly KnownAccount[],
): Promise<void> {
  if (allowDuplicate === true || institution === null || accounts === undefined) return
  const unknown = { persistentAccountId: null, officialName: null, type: null, currency: null }
  const incoming = accounts.map((account) => ({ ...unknown, ...account }))
  const { duplicate } = relatedItems(known, incoming, institution.id)
  if (duplicate === null) return
  await endUnexchanged(ctx.services.api, ctx.actor.identity, id, 'forget')
  throw duplicateError(duplicate, institution.id)
}

/** Refuses another user's public token before it is used. */
async function refuseForeign(ctx: Ctx<User>, id: string, { publicToken, linkToken }: ExchangeInput): Promise<void> {
  try {
    await requireOwnSession(ctx, { publicToken, linkToken: linkToken ?? null })
  } catch (error) {
    await endUnexchanged(ctx.services.api, ctx.actor.identity, id, 'forget')
    throw error
  }
}

/** Refuses a request that is so late that a client's disconnect could cancel it before the token is stored. */
async function refuseLate(ctx: Ctx<User>, id: string, startedAtMs: number): Promise<void> {
  if (ctx.now().getTime() - startedAtMs <= latestStartMs) return
  await endUnexchanged(ctx.services.api, ctx.actor.identity, id, 'forget')
  throw new AppError('unavailable', 'The service is busy at the moment. Try again shortly.', {
    reason: 'too late to ask Plaid',
    retryAfterSeconds: 5,
  })
}

function duplicateError(duplicate: DuplicateItem | null, institutionId: string | null): AppError {
  const mayEndFirst = secondItemEndsFirst(institutionId)
  const detail = mayEndFirst
    ? 'This institution is linked already. At this institution, a second item can end the first one.'
    : 'This institution is linked already.'
  return new AppError('duplicate_item', detail, {
    extensions: {
      item_id: duplicate?.itemId ?? null,
      second_item_may_end_first: mayEndFirst,
      ...(duplicate === null || duplicate.accounts.length === 0
        ? {}
        : { accounts: duplicate.accounts.map(({ id, name, mask }) => ({ id, name, mask })) }),
    },
  })
}

/** Continues an earlier exchange of the same public token, whose response the client may not have received. */
async function resumeExchange(ctx: Ctx<User>, { state, itemId, exchange }: EarlierExchange): Promise<Item> {
  if (exchange !== null)
    return await itemOrError(ctx, await finishExchange(servingUser(ctx, exchange.userId), exchange))
  switch (state) {
    case 'linked':
      return await itemOrError(ctx, itemId === null ? { kind: 'given_back' } : { kind: 'linked', itemId, item: null })
    case 'duplicate': {
      const item = itemId === null ? null : await getItem(ctx.services.api, ctx.actor.identity, itemId)
      throw duplicateError(item && { itemId: item.id, accounts: [] }, item?.institutionId ?? null)
    }
    case 'started':
    case 'exchanged':
      throw new AppError('conflict', 'This public token is being exchanged. Try again shortly.', {
        retryAfterSeconds: 5,
      })
    case 'refused':
    case 'given_back':
    case 'lost':
      throw publicTokenRefused()
  }
}

async function itemOrError(ctx: Ctx<User>, finished: Finished): Promise<Item> {
  if (finished.kind === 'duplicate') throw duplicateError(finished.duplicate, finished.institutionId)
  if (finished.kind === 'too_many_items') throw capError(finished)
  if (finished.kind === 'given_back') throw publicTokenRefused()
  const item = finished.item ?? (await getItem(ctx.services.api, ctx.actor.identity, finished.itemId))
  if (item === null) throw publicTokenRefused()
  return item
}

function publicTokenRefused(): AppError {
  return new AppError('public_token_refused', 'Plaid refused the public token: it is unknown, expired or already used.')
}

const isRefused = ({ errorType, errorCode }: PlaidFailure): boolean =>
  errorType === 'INVALID_INPUT' && errorCode.endsWith('PUBLIC_TOKEN')

type Intent = Pick<Exchange, 'id' | 'userId' | 'allowDuplicate' | 'plaidUserId'> & { readonly obtained: AuditRow }

async function exchangeAtPlaid(ctx: Ctx<User>, intent: Intent, publicToken: Secret): Promise<Exchange> {
  const { api, plaid } = ctx.services
  const { identity } = ctx.actor
  const exchanged = await plaid.exchangePublicToken(publicToken)
  if (!exchanged.ok) {
    const { failure } = exchanged
    if (isOutcomeUnknown(failure))
      ctx.log.error('exchange_unanswered', { exchange_id: intent.id, plaid_error_code: failure.errorCode })
    else await endUnexchanged(api, identity, intent.id, isRefused(failure) ? 'refused' : 'forget')
    throw isRefused(failure) ? publicTokenRefused() : toAppError(failure)
  }
  const { access_token: token, item_id: plaidItemId } = exchanged.value
  return await persistToken(ctx, intent, token, plaidItemId)
}

/** Storing the same token twice changes nothing, so a failure with an unknown outcome is retried. */
async function storeToken(ctx: Ctx<User>, exchange: Exchange, obtained: AuditRow): Promise<void> {
  const { api, wait, random } = ctx.services
  const onRetry = (attempt: number): void =>
    ctx.log.warn('exchange_stored_again', { exchange_id: exchange.id, attempt })
  await retryWhileUnavailable({ attempts: storeAttempts, firstPauseMs: 400, wait, random, onRetry }, () =>
    storeExchangedToken(api, ctx.actor.identity, exchange, obtained),
  )
}

/** Stores the token, which only this process has at this moment. If that fails, removes the item at Plaid. */
async function persistToken(ctx: Ctx<User>, intent: Intent, token: Secret, plaidItemId: string): Promise<Exchange> {
  const { keyring, plaid } = ctx.services
  try {
    const owner = { userId: intent.userId, itemId: intent.id }
    const sealedToken = await sealAccessToken(keyring, token, owner, 'link_exchanges')
    const { obtained, ...started } = intent
    const exchange = { ...started, plaidItemId, sealedToken }
    await storeToken(ctx, exchange, obtained)
    return exchange
  } catch (error) {
    const removed = await plaid.removeItem(token)
    const fields = { exchange_id: intent.id, plaid_item_id: plaidItemId }
    // The intent stays `started`: the reconciler later compares Plaid's list of the user's items and removes unknown
    // ones.
    if (removed.ok || removed.failure.class === 'gone') ctx.log.warn('item_given_back', fields)
    else ctx.log.error('item_orphaned', { ...fields, plaid_error_code: removed.failure.errorCode })
    throw error
  }
}
