// Link on a page of Plaid's own: what became of it is asked of Plaid, whether its webhook came or was lost. Each public token
// is exchanged for the user who asked for the link token, and for nobody else.
import { aboutUser, type Ctx, type User } from '../context.ts'
import { concludeLinkSession, getLinkSession, type LinkSession } from '../db/link/sessions.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import { markRepaired } from '../items/repair-item.ts'
import { servingUser } from '../items/serving-user.ts'
import { exchangePublicToken, type ExchangeInput } from './exchange-public-token.ts'
import { openLinkToken } from '../custody/link-token.ts'

/** Plaid tells of a session for so long after its end. */
const toldMs = 6 * 3600_000
const pollMs = 5 * 60_000
/** A page that can be opened for days is asked about less often, until its last hour. */
const longestPollMs = 3600_000

const pollAfterMs = (leftMs: number): number => Math.min(longestPollMs, Math.max(pollMs, leftMs / 12))
/** When its user is done there is hardly more to come. */
const finishedPollMs = 3600_000

/** Of one public token: it is done with, whatever comes. */
const final: ReadonlySet<ErrorCode> = new Set([
  'duplicate_item',
  'public_token_refused',
  'not_found',
  'too_many_items',
  'too_many_links',
])

/**
 * Asks Plaid what became of a hosted session, and links what its user has added. Safe to do at any time, and twice.
 * @throws AppError where an exchange could not be made now; the session is then asked for again
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
  const finished = result.value.link_sessions.filter(({ finished_at: finishedAt }) => finishedAt !== null)
  for (const added of finished.flatMap(({ results }) => results))
    await exchangeFor(ctx, session, {
      publicToken: added.public_token.reveal(),
      isToldByPlaid: true,
      institution: added.institution ? { id: added.institution.institution_id, name: added.institution.name } : null,
      accounts: added.accounts,
    })
  // Once: what is announced afterwards is news. And not for a user who left without having done it.
  const isRepaired = session.finishedAt === null && finished.some(({ exit }) => !exit)
  if (isRepaired && session.itemId !== null) await repair(ctx, session, session.itemId)
  await scheduleNextCheck(ctx, session, {
    finished: finished.some(({ exit }) => !exit),
    mayFinish: result.value.link_sessions.length > 0,
  })
}

interface Progress {
  readonly finished: boolean
  /** Whether the page was opened, as far as is known. One that was not opened in time stays closed. */
  readonly mayFinish: boolean
}

/** While the page can be opened, and for as long as Plaid may have something new to tell, Plaid is asked again. */
async function scheduleNextCheck(ctx: Ctx, session: LinkSession, { finished, mayFinish }: Progress): Promise<void> {
  const nowMs = ctx.now().getTime()
  const unfinishedMs = mayFinish ? toldMs : pollMs
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
  await unlessFinal(ctx, async () => {
    await exchangePublicToken(actingFor(ctx, session), input)
  })
}

async function repair(ctx: Ctx, session: LinkSession, itemId: string): Promise<void> {
  await unlessFinal(ctx, async () => {
    await markRepaired(actingFor(ctx, session), itemId)
  })
}

async function unlessFinal(ctx: Ctx, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof AppError) || !final.has(error.code)) throw error
    ctx.log.info('link_session_result', { reason: error.code })
  }
}
