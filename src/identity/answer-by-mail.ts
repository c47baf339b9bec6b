// Mails that anybody can ask for, for any address. Whether one is sent shows in no answer, and hardly in its time.
import type { Ctx } from '../context.ts'
import type { Mail } from './mail.ts'
import { identityServices } from './services.ts'

/**
 * Sends the mail, or withholds it where `spent` names a limit that is used up. Either takes as long at least as mails
 * commonly do.
 * @throws AppError `unavailable`
 */
export async function answerByMail({ services, log }: Ctx, mail: Mail, spent: string | null): Promise<void> {
  const { sendMail, leastMailMs } = await identityServices(services)
  if (spent !== null) log.warn('mail_withheld', { mail: mail.kind, reason: spent })
  await Promise.all([spent === null ? sendMail(mail, log) : undefined, services.wait(leastMailMs)])
}
