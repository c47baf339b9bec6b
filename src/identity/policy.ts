// The numbers of built-in accounts: how long things live and how often they may be tried. No logic.

const minute = 60
const hour = 60 * minute
const day = 24 * hour

export const accessTokenSeconds = 15 * minute

/**
 * A refresh token that nobody uses dies after a week, its session after 30 days whatever happens (NIST SP 800-63B-4
 * §2.1.3: reauthentication after 30 days at most at AAL1).
 */
export const sessionLifetime = { idleSeconds: 7 * day, absoluteSeconds: 30 * day } as const

/**
 * For so long a refresh token that was used gets the same successor once more: tabs that share it, an answer that was
 * lost.
 */
export const refreshGraceSeconds = 10
/** Refreshes of one session. */
export const refreshLimit = { most: 30, seconds: minute } as const

/** Sessions of one account; the one unused for longest gives way. */
export const sessionsPerAccount = 50

export const registrationSeconds = day
export const passwordResetSeconds = hour

/** A device that signed in is recognized for so long; every sign-in starts it anew. */
export const deviceTokenSeconds = 180 * day

/**
 * Password checks. `own`: of one client for one account; a success empties it. `failures`: of all strangers together.
 */
export const signInLimits = {
  own: { most: 10, seconds: 15 * minute },
  failures: { most: 100, seconds: hour },
} as const

/** Only who knows the password gets here: 100 guesses a day at one of three codes in a million. */
export const secondFactorLimits = {
  own: { most: 20, seconds: day },
  failures: { most: 100, seconds: day },
} as const

/** Mails that anybody can ask for. `own` and `address` of each kind; `stray`: to an address without an account. */
export const mailLimits = {
  own: { most: 5, seconds: hour },
  address: { most: 20, seconds: hour },
  network: { most: 60, seconds: hour },
  stray: { most: 1, seconds: day },
} as const
