// Built-in accounts over HTTP: registered, verified with the code that the development sender logs, and signed in.
import { randomUUID } from 'node:crypto'
import { vi } from 'vitest'
import * as z from 'zod'
import { type Call, type Edge, expectStatus } from './edge.ts'

export const goodPassword = 'a long enough password'

const mailSchema = z.object({ mail_code: z.string() })
const sessionAnswer = z.object({ access_token: z.string(), refresh_token: z.string() })

export interface SignedIn {
  readonly email: string
  readonly accessToken: string
  readonly refreshToken: string
  /** With the access token. */
  readonly call: Call
}

/** The code of the e-mail that a request caused, or null while there is none. */
function mailedCode(edge: Edge, requestId: string): string | null {
  const line = edge.lines().find((one) => one.includes(requestId) && one.includes('"mail_code"'))
  return line === undefined ? null : mailSchema.parse(JSON.parse(line)).mail_code
}

export function signedIn(edge: Edge, email: string, body: unknown): SignedIn {
  const { access_token: accessToken, refresh_token: refreshToken } = sessionAnswer.parse(body)
  return { email, accessToken, refreshToken, call: edge.callTo(edge.url, accessToken) }
}

/** Sends a request that causes an e-mail, and returns the code in that e-mail. */
export async function askForMail(edge: Edge, path: string, body: unknown): Promise<string> {
  const requestId = randomUUID()
  expectStatus(await edge.call('POST', path, { body, headers: { 'x-request-id': requestId } }), 202)
  return await vi.waitFor(() => mailedCode(edge, requestId) ?? Promise.reject(new Error(`${path} mailed no code`)))
}

/** Makes an account and signs in to it. */
export async function signUp(edge: Edge, email: string): Promise<SignedIn> {
  const code = await askForMail(edge, '/api/v1/auth/register', { email, password: goodPassword })
  const body = { code, password: goodPassword }
  const verified = expectStatus(await edge.call('POST', '/api/v1/auth/verify-email', { body }), 200)
  return signedIn(edge, email, verified.json())
}

/** One more session of that account. */
export async function signIn(edge: Edge, email: string): Promise<SignedIn> {
  const body = { email, password: goodPassword }
  return signedIn(edge, email, expectStatus(await edge.call('POST', '/api/v1/auth/login', { body }), 200).json())
}
