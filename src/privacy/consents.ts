// What a person allows: read, decided, and required where a request serves a purpose.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { decide, type Decision, isAllowed, listDecisions } from '../db/privacy/consents.ts'
import { AppError } from '../errors.ts'
import { type Decisions, defaultDecisions, notAllowed, type Purpose, purposes } from './purposes.ts'

export interface Consents {
  /** 0 while the person has decided nothing. */
  readonly version: number
  readonly decisions: Decisions
  /** Newest first. */
  readonly history: readonly Decision[]
}

function consentsOf(history: readonly Decision[]): Consents {
  const [newest] = history
  return { version: newest?.version ?? 0, decisions: newest ?? defaultDecisions, history }
}

export async function readConsents({ services, actor }: Ctx<User>): Promise<Consents> {
  return consentsOf(await listDecisions(services.api, actor.identity))
}

/**
 * Stores the decisions. A repeated request changes nothing.
 * @throws AppError `conflict` when `version` is not the newest
 */
export async function changeConsents(ctx: Ctx<User>, version: number, decisions: Decisions): Promise<Consents> {
  const { services, actor, log } = ctx
  const refused = purposes.filter((purpose) => !decisions[purpose])
  const { moved, decisions: history } = await decide(
    services.api,
    actor.identity,
    version,
    decisions,
    refused,
    await audit(ctx, { action: 'consents_changed', target: null }),
  )
  const consents = consentsOf(history)
  if (moved)
    throw new AppError('conflict', 'The decisions have changed since. Read them again.', {
      extensions: { version: consents.version },
    })
  log.info('consents_decided')
  return consents
}

/** @throws AppError `purpose_not_allowed` */
export async function requirePurpose({ services, actor }: Ctx<User>, purpose: Purpose): Promise<void> {
  if (!(await isAllowed(services.api, actor.identity, purpose))) throw notAllowed(purpose)
}
