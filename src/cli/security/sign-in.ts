// Signs in with a built-in account and renews its access token before it expires, because a scan takes longer than a
// token is valid.
import * as z from 'zod'

/** An access token is valid for 15 minutes. The rest must be enough for one scan, which takes a few minutes at most. */
const renewAfterMs = 5 * 60_000

const answerSchema = z.object({ access_token: z.string() })

export interface Account {
  readonly email: string
  readonly password: string
}

/** @throws Error with the status if the deployment refuses the account */
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
