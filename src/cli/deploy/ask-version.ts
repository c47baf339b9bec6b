// Asks one version of a Worker whether it is ready, by Cloudflare's version override header. Cloudflare ignores the header
// where the version is not deployed yet, and another version responds: so the response names its version.
import * as z from 'zod'
import type { VersionAnswer } from './ports.ts'

const timeoutMs = 10_000
const namedSchema = z.object({ version: z.string() })

/** The header that sends a request to this version of this Worker. */
export function versionOverride(workerName: string, version: string): Record<string, string> {
  return { 'Cloudflare-Workers-Version-Overrides': `${workerName}="${version}"` }
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    return null
  }
}

/** Status 0 where there is no response. */
export function versionAsker(url: string, workerName: string): (version: string | null) => Promise<VersionAnswer> {
  return async (version) => {
    try {
      const response = await fetch(`${url}/ready`, {
        headers: version === null ? {} : versionOverride(workerName, version),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      })
      return { status: response.status, version: namedSchema.safeParse(await bodyOf(response)).data?.version ?? null }
    } catch {
      return { status: 0, version: null }
    }
  }
}
