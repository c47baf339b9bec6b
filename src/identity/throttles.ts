// How often each thing may be tried, and who shares a count. Strangers are counted by account and network together, so
// that nobody's failures refuse an owner elsewhere; by account alone only failures count. A device that signed in
// before and a live session have counts of their own. Pure.
import type { Ctx } from '../context.ts'
import type { Bucket } from '../db/identity/credentials.ts'
import { networkOf } from '../ratelimit/address.ts'
import { mailLimits, refreshLimit, secondFactorLimits, signInLimits } from './policy.ts'

/** Where a request comes from; what is no request has one network. */
export const networkIn = ({ client }: Ctx): string => (client === undefined ? 'none' : networkOf(client))

type Limit = Pick<Bucket, 'most' | 'seconds'>

/** @param of what is counted together; none of the parts holds a space */
const bucket = (name: string, limit: Limit, ...of: readonly string[]): Bucket => ({
  name,
  key: `${name}:${of.join(' ')}`,
  ...limit,
  shared: false,
})
/** Other people's attempts count there too: a success gives one place back, not all. */
const shared = (name: string, limit: Limit, ...of: readonly string[]): Bucket => ({
  ...bucket(name, limit, ...of),
  shared: true,
})

/** `identity.set_password_by_mail` empties it by this name. */
const failuresName = 'sign_in_failures'

export const strangersSignIn = (email: string, network: string): readonly Bucket[] => [
  bucket('sign_in', signInLimits.own, email, network),
  shared(failuresName, signInLimits.failures, email),
]
export const devicesSignIn = (email: string, device: string): readonly Bucket[] => [
  bucket('sign_in_device', signInLimits.own, email, device),
]

/** The password once more, in a live session. */
export const reauthentication = (session: string): readonly Bucket[] => [
  bucket('reauthentication', signInLimits.own, session),
]

/** Refreshes, by session: users behind one address do not stop each other. */
export const refreshes = (selectorHash: string): readonly Bucket[] => [bucket('refresh', refreshLimit, selectorHash)]

/** Passwords that are tried with a mailed code: only who has the mail gets there. */
export const verification = (codeHash: string): readonly Bucket[] => [
  bucket('verification', signInLimits.own, codeHash),
]

/** Codes of the authenticator at sign-in. Only who knows the password gets there. */
export const strangersTotp = (account: string, network: string): readonly Bucket[] => [
  bucket('totp', secondFactorLimits.own, account, network),
  shared('totp_failures', secondFactorLimits.failures, account),
]
/** @param by the device, or the session */
export const ownTotp = (account: string, by: string): readonly Bucket[] => [
  bucket('totp_own', secondFactorLimits.own, account, by),
]
/** Recovery codes cannot be guessed, so the count is by client alone: other people's never refuse the owner's. */
export const recovery = (account: string, by: string): readonly Bucket[] => [
  bucket('recovery', secondFactorLimits.own, account, by),
]

/** @param mailsPerHour of the whole deployment */
export const mails = (
  kind: 'register' | 'forgot',
  email: string,
  network: string,
  mailsPerHour: number,
): readonly Bucket[] => [
  bucket(`mail_${kind}`, mailLimits.own, email, network),
  shared(`mail_${kind}_address`, mailLimits.address, email),
  shared('mail_network', mailLimits.network, network),
  shared('mail_deployment', { most: mailsPerHour, seconds: 3600 }),
]
/** Mails to addresses without an account. */
export const strayMails = (email: string): readonly Bucket[] => [bucket('mail_stray', mailLimits.stray, email)]
