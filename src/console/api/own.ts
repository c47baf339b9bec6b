// Requests to the console's own routes, which are no part of the API.
import { ProblemError } from '@wealthnavigator/client'

/** The members of the response; none for a response without a body. */
export async function own(method: 'GET' | 'POST', path: string): Promise<Record<string, unknown>> {
  const response = await fetch(path, { method, headers: { accept: 'application/json' } })
  const body: unknown = await response.json().catch(() => null)
  if (!response.ok) throw new ProblemError(response, body, null)
  return typeof body === 'object' && body !== null ? { ...body } : {}
}
