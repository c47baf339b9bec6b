// Responds to requests for e-mails, which anyone can send for any address. Neither the response nor its time reveals
// whether an e-mail was sent.
import type { Ctx } from '../context.ts'
import type { Mail } from './mail.ts'
import { identityServices } from './services.ts'

/**
 * Sends the e-mail, or withholds it if `spent` names a limit that is used up. Both take at least as long as sending an
 * e-mail usually takes.
 * @throws AppError `unavailable`
 */
export async function answerByMail({ services, log }: Ctx, mail: Mail, spent: string | null): Promise<void> {
  const { sendMail, leastMailMs } = await identityServices(services)
  if (spent !== null) log.warn('mail_withheld', { mail: mail.kind, reason: spent })
  await Promise.all([spent === null ? sendMail(mail, log) : undefined, services.wait(leastMailMs)])
}
