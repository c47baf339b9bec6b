// Notices about changes of an account's login. The change is already stored, so a failed e-mail is only logged.
import type { Logger } from '../monitoring/logger.ts'
import type { Mail } from './mail.ts'
import type { IdentityServices } from './services.ts'

export type Notice = Extract<Mail, { readonly notice: true }>

/** Resolves when the e-mail was accepted or failed; never rejects. */
export async function notify(
  { sendMail }: IdentityServices,
  kind: Notice['kind'],
  to: string,
  log: Logger,
): Promise<void> {
  try {
    await sendMail({ kind, to, notice: true }, log)
  } catch (error) {
    log.error('notice_not_sent', { mail: kind, error })
  }
}
