// Lifetimes and limits of built-in accounts.

const minute = 60
const hour = 60 * minute
const day = 24 * hour

export const accessTokenSeconds = 15 * minute

/**
 * An unused refresh token expires after a week; a session ends after 30 days in any case (NIST SP 800-63B-4 §2.1.3,
 * AAL1).
 */
export const sessionLifetime = { idleSeconds: 7 * day, absoluteSeconds: 30 * day } as const

/**
 * How long a used refresh token returns the same successor again, for tabs that share it and for lost responses.
 */
export const refreshGraceSeconds = 10
/** Refreshes per session. */
export const refreshLimit = { most: 30, seconds: minute } as const

/** Sessions per account. A new session replaces the one unused for longest. */
export const sessionsPerAccount = 50

export const registrationSeconds = day
export const passwordResetSeconds = hour

/** How long a device is recognized after a sign-in. */
export const deviceTokenSeconds = 180 * day

/**
 * Password checks. `own`: of one client for one account, reset by a success. `failures`: of all unknown clients
 * together.
 */
export const signInLimits = {
  own: { most: 10, seconds: 15 * minute },
  failures: { most: 100, seconds: hour },
} as const

/** Reached only with the right password: 100 guesses a day, each with a chance of three in a million. */
export const secondFactorLimits = {
  own: { most: 20, seconds: day },
  failures: { most: 100, seconds: day },
} as const

/** E-mails that anyone can request. `own` and `address` apply per kind; `stray` to addresses without an account. */
export const mailLimits = {
  own: { most: 5, seconds: hour },
  address: { most: 20, seconds: hour },
  network: { most: 60, seconds: hour },
  stray: { most: 1, seconds: day },
} as const
