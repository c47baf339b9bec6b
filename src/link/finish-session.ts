// Completes hosted Link sessions: reads their results from Plaid, whether or not the webhook arrived, and exchanges
// each public token for the user who created the link token.
import { aboutUser, type Ctx, type User } from '../context.ts'
import { concludeLinkSession, getLinkSession, type LinkSession } from '../db/link/sessions.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import { markRepaired } from '../items/repair-item.ts'
import { servingUser } from '../items/serving-user.ts'
import { exchangePublicToken, type ExchangeInput } from './exchange-public-token.ts'
import { openLinkToken } from '../custody/link-token.ts'

/** How long after its end Plaid returns a session. */
const resultsKeptMs = 6 * 3600_000
const pollMs = 5 * 60_000
/** A page that can be opened for days is polled less often, until its last hour. */
const longestPollMs = 3600_000

const pollAfterMs = (leftMs: number): number => Math.min(longestPollMs, Math.max(pollMs, leftMs / 12))
/** After the user has finished, more results are unlikely. */
const finishedPollMs = 3600_000

/** Errors of one public token that no later attempt can change. */
const finalErrors: ReadonlySet<ErrorCode> = new Set([
  'duplicate_item',
  'public_token_refused',
  'not_found',
  'too_many_items',
  'too_many_links',
])

/**
 * Reads the results of a hosted session from Plaid and links the items that its user has added. Idempotent.
 * @throws AppError if an exchange fails for now; the session is then checked again
 */
export async function finishLinkSession(given: Ctx, sessionId: string): Promise<void> {
  const session = await getLinkSession(given.services.jobs, sessionId)
  if (session === null) return
  const { userId } = session
  const ctx = servingUser(aboutUser(given, userId), userId)
  const { keyring, plaid } = ctx.services
  const token = await openLinkToken(keyring, session.tokenSealed, { userId, sessionId })
  const result = await plaid.getLinkToken(token)
  if (!result.ok) {
    ctx.log.warn('link_session_not_told', { plaid_error_code: result.failure.errorCode })
    return await scheduleNextCheck(ctx, session, { finished: false, mayFinish: true })
  }
  const { link_sessions: sessions } = result.value
  const finished = sessions.filter(({ finished_at: finishedAt }) => finishedAt !== null)
  // A user who adds a bank and closes the page before Link's last step never finishes the session.
  for (const added of sessions.flatMap(({ results }) => results))
    await exchangeFor(ctx, session, {
      publicToken: added.public_token.reveal(),
      isFromPlaid: true,
      institution: added.institution ? { id: added.institution.institution_id, name: added.institution.name } : null,
      accounts: added.accounts,
    })
  // Only once, because later announcements are new. Not if the user left without finishing.
  const isRepaired = session.finishedAt === null && finished.some(({ exit }) => !exit)
  if (isRepaired && session.itemId !== null) await markItemRepaired(ctx, session, session.itemId)
  await scheduleNextCheck(ctx, session, {
    finished: finished.some(({ exit }) => !exit),
    mayFinish: sessions.length > 0,
  })
}

interface Progress {
  readonly finished: boolean
  /** Whether the session may still produce results: the page was opened, or this is unknown. */
  readonly mayFinish: boolean
}

/** Schedules the next check while the page can be opened and while Plaid may return new results. */
async function scheduleNextCheck(ctx: Ctx, session: LinkSession, { finished, mayFinish }: Progress): Promise<void> {
  const nowMs = ctx.now().getTime()
  const unfinishedMs = mayFinish ? resultsKeptMs : pollMs
  const isOver = nowMs > session.expiresAt.getTime() + (finished ? 0 : unfinishedMs)
  await concludeLinkSession(ctx.services.jobs, session.id, {
    finished,
    checkAt: isOver
      ? null
      : new Date(nowMs + (finished ? finishedPollMs : pollAfterMs(session.expiresAt.getTime() - nowMs))),
  })
}

const actingFor = (ctx: Ctx, { identity }: LinkSession): Ctx<User> => ({
  ...ctx,
  actor: { kind: 'user', identity, role: 'user', scopes: [] },
})

async function exchangeFor(ctx: Ctx, session: LinkSession, input: ExchangeInput): Promise<void> {
  await ignoreFinalErrors(ctx, async () => {
    await exchangePublicToken(actingFor(ctx, session), input)
  })
}

async function markItemRepaired(ctx: Ctx, session: LinkSession, itemId: string): Promise<void> {
  await ignoreFinalErrors(ctx, async () => {
    await markRepaired(actingFor(ctx, session), itemId)
  })
}

async function ignoreFinalErrors(ctx: Ctx, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof AppError) || !finalErrors.has(error.code)) throw error
    ctx.log.info('link_session_result', { reason: error.code })
  }
}
