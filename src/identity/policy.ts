// The numbers of built-in accounts: how long things live and how often they may be tried. No logic.
import type { Throttle } from '../db/identity.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

export const accessTokenSeconds = 15 * minute

/**
 * A refresh token that nobody uses dies after a week, its session after 30 days whatever happens (NIST SP 800-63B-4
 * §2.1.3: reauthentication after 30 days at most at AAL1).
 */
export const sessionLifetime = { idleSeconds: 7 * day, absoluteSeconds: 30 * day } as const

/** Sessions of one account; the one unused for longest gives way. */
export const sessionsPerAccount = 50

export const registrationSeconds = day
export const passwordResetSeconds = hour

// By e-mail address, whether or not it has an account.

/** Checks that failed; one that succeeds gives its place back. NIST allows 100 in a row. */
export const passwordThrottle: Throttle = { limit: 10, windowSeconds: 15 * minute }
/** Only who knows the password gets here: 20 guesses a day at one of three codes in a million. */
export const secondFactorThrottle: Throttle = { limit: 20, windowSeconds: day }
/** Of each kind of mail. */
export const mailThrottle: Throttle = { limit: 5, windowSeconds: hour }
