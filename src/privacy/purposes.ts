// The purposes for which data of a person are used: a closed list, and what holds until the person decides.
import { AppError } from '../errors.ts'

export const purposes = ['linking_and_sync', 'insights', 'product_emails', 'diagnostics'] as const
export type Purpose = (typeof purposes)[number]
export type Decisions = Readonly<Record<Purpose, boolean>>

/**
 * What holds without a decision. Linking, syncing and insights are the service that the person asked for (GDPR, article
 * 6(1)(b)); diagnostics are a legitimate interest, to which the person can object (articles 6(1)(f) and 21). E-mails about
 * the product need consent first (article 6(1)(a); article 13 of Directive 2002/58/EC).
 */
export const defaultDecisions: Decisions = {
  linking_and_sync: true,
  insights: true,
  product_emails: false,
  diagnostics: true,
}

/** The refusal of what serves a purpose that the user does not allow. */
export const notAllowed = (purpose: Purpose): AppError =>
  new AppError('purpose_not_allowed', 'The user does not allow this use of their data.', {
    reason: `opted out of ${purpose}`,
    extensions: { purpose },
  })
