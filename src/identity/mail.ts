// The e-mails to users, and the two ways to send them: an HTTP API, or in development the log.
import type { EmailConfig } from '../config/config.ts'
import { withDeadline } from '../timeout.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../monitoring/logger.ts'

/** Sent to the owner of an account after a change. */
const notices = {
  password_changed: {
    subject: 'Your password was changed',
    what: 'The password of your account was changed. Every other session was signed out.',
  },
  password_reset: {
    subject: 'Your password was reset',
    what: 'The password of your account was reset with a code from an e-mail. Every session was signed out.',
  },
  totp_enabled: {
    subject: 'Two-factor authentication is on',
    what: 'Signing in to your account now requires a code from your authenticator app. Every other session was signed out.',
  },
  totp_disabled: {
    subject: 'Two-factor authentication is off',
    what: 'Signing in to your account no longer requires a code from your authenticator app.',
  },
  recovery_code_used: {
    subject: 'A recovery code was used',
    what: 'A recovery code of your account was used instead of a code from your authenticator app.',
  },
} as const
const noticeAdvice =
  'If you did this, ignore this e-mail. If you did not, reset your password now and end all sessions.'

export type Mail =
  | { readonly kind: 'verify_email'; readonly to: string; readonly code: string }
  | { readonly kind: 'address_in_use'; readonly to: string }
  | { readonly kind: 'reset_password'; readonly to: string; readonly code: string }
  | { readonly kind: 'no_account'; readonly to: string }
  | { readonly kind: 'absence'; readonly to: string; readonly on: string; readonly years: number }
  | { readonly kind: 'erasure'; readonly to: string; readonly reference: string }
  | { readonly kind: keyof typeof notices; readonly to: string; readonly notice: true }

/**
 * Sends one e-mail. Resolves when the e-mail service has accepted it.
 * @throws AppError `unavailable` if it was not accepted; the user can request it again
 */
export type SendMail = (mail: Mail, log: Logger) => Promise<void>

const timeoutMs = 10_000

/** The code is in the fragment, which browsers do not send, so no server logs it. */
function link(publicUrl: string, purpose: string, code: string): string {
  const url = new URL(publicUrl)
  url.hash = `${purpose}=${code}`
  return url.href
}

function textOf(mail: Mail, publicUrl: string): { subject: string; text: string } {
  if ('notice' in mail) {
    const { subject, what } = notices[mail.kind]
    return { subject, text: [what, noticeAdvice].join('\n\n') }
  }
  switch (mail.kind) {
    case 'verify_email':
      return {
        subject: 'Confirm your e-mail address',
        text: [
          'To confirm your e-mail address, open this link and enter the password that you chose:',
          link(publicUrl, 'verify-email', mail.code),
          `Or enter this code: ${mail.code}`,
          'The code is valid for 24 hours. If you did not register, ignore this e-mail. No account is created without the code.',
        ].join('\n\n'),
      }
    case 'address_in_use':
      return {
        subject: 'You already have an account',
        text: [
          'This e-mail address was entered in the registration form, but you already have an account. Nothing changed.',
          'If you did this, sign in instead. If you forgot your password, reset it on the sign-in page. If you did not, ignore this e-mail.',
        ].join('\n\n'),
      }
    case 'reset_password':
      return {
        subject: 'Set a new password',
        text: [
          'To set a new password for your account, open this link:',
          link(publicUrl, 'reset-password', mail.code),
          `Or enter this code: ${mail.code}`,
          'The code is valid for one hour and works once. If you did not request it, ignore this e-mail.',
        ].join('\n\n'),
      }
    case 'absence':
      return {
        subject: 'Your account will be deleted',
        text: [
          `You have not used your account for almost ${mail.years} years. On ${mail.on} it will be deleted: your banks are disconnected, and all of your data are deleted.`,
          'To keep it, sign in before then:',
          publicUrl,
          'If you no longer need it, ignore this e-mail.',
        ].join('\n\n'),
      }
    case 'erasure':
      return {
        subject: 'Your account and your data are deleted',
        text: [
          'Your account was deleted: you requested it, or you have not used it for two years. Your banks are disconnected and your data are deleted now.',
          'When this is done, you can get a signed certificate with this reference:',
          mail.reference,
          link(publicUrl, 'erasure', mail.reference),
          'Keep this e-mail: the reference is in no other place.',
        ].join('\n\n'),
      }
    case 'no_account':
      return {
        subject: 'There is no account for this address',
        text: [
          'A password reset was requested for this e-mail address, but no account uses it.',
          'If you requested it, you may have registered with another address. If you did not, ignore this e-mail.',
        ].join('\n\n'),
      }
  }
}

/** Senders differ: Resend returns 403 for an invalid key (https://resend.com/docs/api-reference/errors). */
const refusesKey = ({ status }: Response): boolean => status === 401 || status === 403

/**
 * Sends over an HTTP API: `POST` of `{from, to, subject, text}` with a bearer key and an Idempotency-Key. If the API refuses
 * a key, sends once more with the other one of a rotation, and begins with that one from then on.
 */
export function sendOverHttp(config: EmailConfig, fetch: typeof globalThis.fetch): SendMail {
  let [first, second] = config.keys
  return async (mail, log) => {
    const id = crypto.randomUUID()
    const send = async (key: string): Promise<Response> => {
      const response = await post(config, fetch, { mail, key, id })
      await response.body?.cancel()
      return response
    }
    const [key, other] = [first, second]
    let response = await send(key)
    if (refusesKey(response) && other !== undefined) {
      log.warn('email_key_refused', { status: response.status })
      response = await send(other)
      if (response.ok) [first, second] = [other, key]
    }
    if (!response.ok) throw unavailable(`the e-mail API answered ${response.status}`)
  }
}

interface Sending {
  readonly mail: Mail
  readonly key: string
  /** The same in each attempt, so that one e-mail is sent. */
  readonly id: string
}

async function post(
  config: EmailConfig,
  fetch: typeof globalThis.fetch,
  { mail, key, id }: Sending,
): Promise<Response> {
  try {
    const init = {
      method: 'POST',
      redirect: 'manual' as const,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'user-agent': 'wealthnavigator-edge',
        'idempotency-key': id,
      },
      body: JSON.stringify({ from: config.from, to: mail.to, ...textOf(mail, config.publicUrl) }),
    }
    return await withDeadline(timeoutMs, (signal) => fetch(config.url, { ...init, signal }))
  } catch (error) {
    throw unavailable('the e-mail API did not answer', error)
  }
}

function unavailable(reason: string, cause?: unknown): AppError {
  return new AppError('unavailable', 'The e-mail could not be sent. Try again.', {
    reason,
    cause,
    retryAfterSeconds: 30,
  })
}

/** Logs the kind of the e-mail and its code instead of sending it. For development. */
export const writeToLog: SendMail = (mail, log) => {
  log.info('email_not_sent', { mail: mail.kind, ...('code' in mail ? { mail_code: mail.code } : {}) })
  return Promise.resolve()
}
