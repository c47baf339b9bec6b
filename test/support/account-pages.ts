// What a person without a session does in the console: signs in, registers, asks for a new password.
import type { Page } from 'playwright-core'
import { vi } from 'vitest'
import * as z from 'zod'
import type { Edge } from './edge.ts'

const mailLine = z.object({ mail: z.string(), mail_code: z.string().optional() })

/** The e-mails of a kind so far, oldest first: in development they are lines of the log. */
export function mailsOf(edge: Edge, kind: string): readonly { readonly mail_code?: string | undefined }[] {
  return edge
    .lines()
    .filter((line) => line.includes('"email_not_sent"'))
    .flatMap((line) => mailLine.safeParse(JSON.parse(line)).data ?? [])
    .filter(({ mail }) => mail === kind)
}

/** Does it, and returns the code of the e-mail of this kind that it causes; empty for an e-mail without one. */
export async function codeMailedBy(edge: Edge, kind: string, work: () => Promise<void>): Promise<string> {
  const before = mailsOf(edge, kind).length
  await work()
  return await vi.waitFor(() => {
    const mail = mailsOf(edge, kind)[before]
    if (mail === undefined) throw new Error(`no mail ${kind} came`)
    return mail.mail_code ?? ''
  })
}

export async function signInWith(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Fills in the form that sends a code, and waits for the page that asks for it. Returns what that page says. */
export async function askForCode(page: Page, email: string, password: string | null): Promise<string> {
  await page.getByLabel('E-mail').fill(email)
  if (password !== null) await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Send me the code' }).click()
  await page.getByLabel('Code from the e-mail').waitFor()
  return (await page.locator('.panel').innerText()).replaceAll(email, 'the address')
}
