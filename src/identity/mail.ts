// E-mail: the texts, and the two ways to send one. A mail's code leaves by the mail alone; only in development, where
// no sender is configured, is it written to the log instead.
import type { EmailConfig } from '../config/config.ts'
import { withDeadline } from '../timeout.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../monitoring/logger.ts'

/** What the owner of an account is told after it happened. */
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
    what: 'Signing in to your account now needs a code from your authenticator. Every other session was signed out.',
  },
  totp_disabled: {
    subject: 'Two-factor authentication is off',
    what: 'Signing in to your account no longer needs a code from your authenticator.',
  },
  recovery_code_used: {
    subject: 'A recovery code was used',
    what: 'Someone used a recovery code of your account in place of a code from your authenticator.',
  },
} as const
const noticeAdvice = 'If this was you, ignore this e-mail. If not, reset your password now and sign out everywhere.'

export type Mail =
  | { readonly kind: 'verify_email'; readonly to: string; readonly code: string }
  | { readonly kind: 'address_in_use'; readonly to: string }
  | { readonly kind: 'reset_password'; readonly to: string; readonly code: string }
  | { readonly kind: 'no_account'; readonly to: string }
  | { readonly kind: keyof typeof notices; readonly to: string; readonly notice: true }

/**
 * Sends one e-mail. Resolves when the mail service has accepted it.
 * @throws AppError `unavailable` when it was not accepted; the user can request it again
 */
export type SendMail = (mail: Mail, log: Logger) => Promise<void>

const timeoutMs = 10_000

/** A fragment stays in the browser: no server's log holds the code. */
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
          'Somebody registered this address. If it was you, follow the link and enter the password that you chose:',
          link(publicUrl, 'verify-email', mail.code),
          `or type this code: ${mail.code}`,
          'It holds for a day. If it was not you, there is nothing to do: without this code no account is made.',
        ].join('\n\n'),
      }
    case 'address_in_use':
      return {
        subject: 'You already have an account',
        text: [
          'Somebody tried to register this address, which has an account. Nothing was changed.',
          'If it was you: sign in, or ask for a new password there if you forgot yours.',
        ].join('\n\n'),
      }
    case 'reset_password':
      return {
        subject: 'Set a new password',
        text: [
          'Somebody asked for a new password for this account. If it was you, follow the link:',
          link(publicUrl, 'reset-password', mail.code),
          `or type this code: ${mail.code}`,
          'It holds for an hour and works once. If it was not you, there is nothing to do.',
        ].join('\n\n'),
      }
    case 'no_account':
      return {
        subject: 'There is no account for this address',
        text: [
          'Somebody asked for a new password for this address, which has no account here.',
          'If it was you, you may have registered with another address.',
        ].join('\n\n'),
      }
  }
}

/** Sends over an HTTP API: `POST` of `{from, to, subject, text}` with a bearer key and an Idempotency-Key. */
export function sendOverHttp(config: EmailConfig, fetch: typeof globalThis.fetch): SendMail {
  return async (mail) => {
    const response = await post(config, fetch, mail)
    await response.body?.cancel()
    if (!response.ok) throw unavailable(`the e-mail API answered ${response.status}`)
  }
}

async function post(config: EmailConfig, fetch: typeof globalThis.fetch, mail: Mail): Promise<Response> {
  try {
    const init = {
      method: 'POST',
      redirect: 'manual' as const,
      headers: {
        authorization: `Bearer ${config.key}`,
        'content-type': 'application/json',
        'idempotency-key': crypto.randomUUID(),
      },
      body: JSON.stringify({ from: config.from, to: mail.to, ...textOf(mail, config.publicUrl) }),
    }
    return await withDeadline(timeoutMs, (signal) => fetch(config.url, { ...init, signal }))
  } catch (error) {
    throw unavailable('the e-mail API did not answer', error)
  }
}

function unavailable(reason: string, cause?: unknown): AppError {
  return new AppError('unavailable', 'The e-mail could not be sent; try again.', {
    reason,
    cause,
    retryAfterSeconds: 30,
  })
}

/** Writes to the log what the mail would have been for, and its code. For development. */
export const writeToLog: SendMail = (mail, log) => {
  log.info('email_not_sent', { mail: mail.kind, ...('code' in mail ? { mail_code: mail.code } : {}) })
  return Promise.resolve()
}
