// Calls the admin routes of a Worker over HTTP. The administrator's token is its only secret.
import * as z from 'zod'
import { misuse } from '../../dev/lib/run-command.ts'
import { whenNotLimited } from './when-limited.ts'

const problemSchema = z.object({ code: z.string() })

/** A request fails after this many rate-limit responses. */
const maxPauses = 100

export type Call = (method: string, path: string, body?: object) => Promise<unknown>

/**
 * The calls of a command with `--url` and `ADMIN_TOKEN`. A call waits as long as the Worker's rate limiter asks.
 * @param url the Worker; by default the local one
 */
export function adminApi(url: string | undefined, environment: Readonly<Record<string, string | undefined>>): Call {
  const given = url ?? `http://127.0.0.1:${environment['PORT'] || '8787'}`
  const parsed = URL.parse(given)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw misuse(`--url ${given} is not an http(s) URL.`)
  const token = environment['ADMIN_TOKEN']
  if (!token) throw misuse("ADMIN_TOKEN is not set: give it an administrator's access token.")
  return async (method, path, body) => {
    const init = {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    const response = await whenNotLimited(maxPauses, () => fetch(`${parsed.origin}${path}`, init))
    if (response.status === 204) return null
    if (response.ok) return await response.json()
    // Not every error comes from the Worker: a proxy in between can respond with HTML.
    const { data } = problemSchema.safeParse(await response.json().catch(() => null))
    throw new Error(`${method} ${path} answered ${response.status}${data === undefined ? '' : ` ${data.code}`}.`)
  }
}
