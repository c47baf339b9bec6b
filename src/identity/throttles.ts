// Which attempts count together, and their limits. Unknown clients count by account and network, so that their failures
// do not lock out the owner on another network; by account alone, only failures count. Known devices and live sessions
// count separately. Pure.
import type { Ctx } from '../context.ts'
import type { Bucket } from '../db/identity/credentials.ts'
import { networkOf } from '../ratelimit/address.ts'
import { mailLimits, refreshLimit, secondFactorLimits, signInLimits } from './policy.ts'

/** The client's network; `none` without a request. */
export const networkIn = ({ client }: Ctx): string => (client === undefined ? 'none' : networkOf(client))

type Limit = Pick<Bucket, 'most' | 'seconds'>

/** @param of the parts of the key, without spaces */
const bucket = (name: string, limit: Limit, ...of: readonly string[]): Bucket => ({
  name,
  key: `${name}:${of.join(' ')}`,
  ...limit,
  shared: false,
})
/** A bucket that other clients share: a success returns one attempt, not all. */
const shared = (name: string, limit: Limit, ...of: readonly string[]): Bucket => ({
  ...bucket(name, limit, ...of),
  shared: true,
})

/** `identity.set_password_by_mail` resets the bucket by this name. */
const failuresName = 'sign_in_failures'

export const unknownClientSignIn = (email: string, network: string): readonly Bucket[] => [
  bucket('sign_in', signInLimits.own, email, network),
  shared(failuresName, signInLimits.failures, email),
]
export const knownDeviceSignIn = (email: string, device: string): readonly Bucket[] => [
  bucket('sign_in_device', signInLimits.own, email, device),
]

/** Reauthentication in a live session. */
export const reauthentication = (session: string): readonly Bucket[] => [
  bucket('reauthentication', signInLimits.own, session),
]

/** Refreshes, by session, so that users behind one address do not block each other. */
export const refreshes = (selectorHash: string): readonly Bucket[] => [bucket('refresh', refreshLimit, selectorHash)]

/** Passwords with a code from an e-mail: reached only by recipients of the e-mail. */
export const verification = (codeHash: string): readonly Bucket[] => [
  bucket('verification', signInLimits.own, codeHash),
]

/** Authenticator codes at sign-in. Reached only with the right password. */
export const unknownClientTotp = (account: string, network: string): readonly Bucket[] => [
  bucket('totp', secondFactorLimits.own, account, network),
  shared('totp_failures', secondFactorLimits.failures, account),
]
/** @param by the device, or the session */
export const knownClientTotp = (account: string, by: string): readonly Bucket[] => [
  bucket('totp_own', secondFactorLimits.own, account, by),
]
/** Recovery codes cannot be guessed, so attempts count by client only, and other clients never lock out the owner. */
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
/** E-mails to addresses without an account. */
export const mailsWithoutAccount = (email: string): readonly Bucket[] => [bucket('mail_stray', mailLimits.stray, email)]
