// An access token of a built-in account, made anew before it dies: a scan takes longer than a token lives.
import * as z from 'zod'

/** An access token lives for 15 minutes; what is left of it must do for one scan of at most a few minutes. */
const renewAfterMs = 5 * 60_000

const answerSchema = z.object({ access_token: z.string() })

export interface Account {
  readonly email: string
  readonly password: string
}

/** @throws Error with the status when the deployment refuses the account */
export function createSignIn(origin: string, account: Account, now: () => number = Date.now): () => Promise<string> {
  let held: { readonly token: string; readonly since: number } | null = null
  return async () => {
    if (held !== null && now() - held.since < renewAfterMs) return held.token
    const response = await fetch(`${origin}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(account),
    })
    const answer = answerSchema.safeParse(await response.json().catch(() => null))
    if (!response.ok || !answer.success) throw new Error(`${origin} refused SCAN_EMAIL: ${response.status}.`)
    held = { token: answer.data.access_token, since: now() }
    return held.token
  }
}
