// States of a page that pass quickly, held so that a test can look at them.
import type { Page } from 'playwright-core'

/** Requests to this path of the API wait until the returned function is called. */
export async function holdRequests(page: Page, path: string): Promise<() => Promise<void>> {
  const { promise: released, resolve } = Promise.withResolvers<void>()
  const isIt = (url: URL): boolean => url.pathname === path
  await page.route(isIt, async (route) => {
    await released
    // The page that asked may be gone.
    await route.continue().catch(() => null)
  })
  return async () => {
    await page.unroute(isIt)
    resolve()
  }
}

/** Where Link returns, in a tab that began the connection of a bank which has not arrived. */
export async function openReturn(page: Page, url: string, items: readonly string[]): Promise<void> {
  await page.evaluate(
    ([known, at]) => {
      const saved = { at, step: 'waiting', purpose: { kind: 'link' }, itemId: null, known }
      sessionStorage.setItem('wealthnavigator.connect', JSON.stringify(saved))
    },
    [items, Date.now()] as const,
  )
  await page.goto(`${url}/connect/return`)
}
