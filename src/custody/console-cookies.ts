// Seals what the console's sign-in keeps in cookies. Each value opens only as what it is, and where it belongs.
import * as z from 'zod'
import type { Keyring } from '../crypto/keyring.ts'
import { AppError } from '../errors.ts'
import { open, seal } from './observed-envelope.ts'

/** A sign-in that has begun. */
const attemptSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  /** Milliseconds since 1970. */
  expiresAtMs: z.number(),
})
export type StoredAttempt = z.output<typeof attemptSchema>

/** A session at the provider: its refresh token, or without one the access token itself. */
const sessionSchema = z.object({
  kind: z.enum(['refresh', 'access']),
  token: z.string(),
  /** Names the session when the person signs out; null if it was too long. */
  idToken: z.string().nullable(),
  /** Whose access tokens the session gets. */
  subject: z.string(),
  endsAtMs: z.number(),
})
export type StoredSession = z.output<typeof sessionSchema>

/** `id` is in the cookie's name. */
const attemptBinding = (clientId: string, id: string) => ({
  table: 'console',
  column: 'sign_in',
  userId: clientId,
  itemId: id,
})
/** `browser` is in another cookie, which no other host can set. */
const sessionBinding = (clientId: string, browser: string) => ({
  table: 'console',
  column: 'provider_session',
  userId: clientId,
  itemId: browser,
})

/** Null for a value that does not open: it is of another browser, place or key. */
async function opened<Content>(schema: z.ZodType<Content>, text: Promise<string>): Promise<Content | null> {
  try {
    return schema.safeParse(JSON.parse(await text)).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof AppError && error.code === 'token_undecryptable')) return null
    throw error
  }
}

export async function sealAttempt(keyring: Keyring, attempt: StoredAttempt, clientId: string, id: string) {
  return await seal('sign_in', keyring, JSON.stringify(attempt), attemptBinding(clientId, id))
}

export async function openAttempt(keyring: Keyring, sealed: string, clientId: string, id: string) {
  return await opened(attemptSchema, open('sign_in', keyring, sealed, attemptBinding(clientId, id)))
}

export async function sealSession(keyring: Keyring, session: StoredSession, clientId: string, browser: string) {
  return await seal('provider_session', keyring, JSON.stringify(session), sessionBinding(clientId, browser))
}

export async function openSession(keyring: Keyring, sealed: string, clientId: string, browser: string) {
  return await opened(sessionSchema, open('provider_session', keyring, sealed, sessionBinding(clientId, browser)))
}
