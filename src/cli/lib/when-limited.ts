// Repeats a request that a rate limiter refuses, as late as the limiter asks.

const usualPauseS = 5
/** Cloudflare's API refuses everything for five minutes: https://developers.cloudflare.com/fundamentals/api/reference/limits/ */
const longestPauseS = 300

/** What `Retry-After` asks for; its form with a date is not used by any server here. */
function pauseSeconds(retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? usualPauseS)
  return seconds >= 0 ? Math.min(seconds, longestPauseS) : usualPauseS
}

const waitSeconds = async (seconds: number): Promise<void> =>
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))

/** The response of `send`; the 429 itself after so many pauses. */
export async function whenNotLimited(
  mostPauses: number,
  send: () => Promise<Response>,
  wait = waitSeconds,
): Promise<Response> {
  for (let pauses = 0; ; pauses += 1) {
    const response = await send()
    if (response.status !== 429 || pauses === mostPauses) return response
    await response.body?.cancel()
    await wait(pauseSeconds(response.headers.get('retry-after')))
  }
}
