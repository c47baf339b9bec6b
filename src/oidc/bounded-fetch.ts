// Requests to the provider: with a deadline that includes the body, without redirects, with a bounded response.
import { readText } from '../body.ts'
import { withDeadline } from '../timeout.ts'
import { SignInFailed } from './failure.ts'

const timeoutMs = 8000
const maxBytes = 131_072

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

export interface ProviderResponse {
  readonly status: number
  /** The body if it is JSON, else null. */
  readonly body: unknown
}

export type Ask = (url: string, init: RequestInit) => Promise<ProviderResponse>

/** @throws SignInFailed `provider` */
export function boundedFetch(fetch: Fetch): Ask {
  return async (url, init) => {
    try {
      return await withDeadline(timeoutMs, (signal) => readWhole(fetch, url, { ...init, signal }))
    } catch (error) {
      if (error instanceof SignInFailed) throw error
      const isLate = error instanceof DOMException && error.name === 'TimeoutError'
      throw new SignInFailed('provider', isLate ? 'the provider is slow' : 'the provider cannot be reached')
    }
  }
}

async function readWhole(fetch: Fetch, url: string, init: RequestInit): Promise<ProviderResponse> {
  // A redirect would send the code, and a client's secret, elsewhere.
  const { status, body } = await fetch(url, { ...init, redirect: 'manual' })
  if (status === 0 || (status >= 300 && status < 400)) {
    await body?.cancel()
    throw new SignInFailed('provider', 'the provider redirected a request')
  }
  const text = await readText(body, maxBytes)
  if (text === null) throw new SignInFailed('provider', "the provider's response is too large")
  return { status, body: asJson(text) }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
