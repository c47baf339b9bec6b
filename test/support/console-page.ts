// The console in a real browser: the product with its pages, and tabs that record what a page must never do.
import type { Browser, Page } from 'playwright-core'
import { inject, onTestFinished } from 'vitest'
import { startBundle } from './bundle.ts'
import { type Edge, type EdgeOptions, startEdge } from './edge.ts'
import { type Mishaps, recordMishaps } from './page-mishaps.ts'
import { connectStack } from './stack.ts'

export { expectAccessible, expectNoOverflow, review } from './page-review.ts'

export const demoUser = 'demo'

/** The product with its console, and the demo user of a laptop. */
export async function startConsole(options: EdgeOptions = {}): Promise<Edge> {
  const assets = await connectStack(inject('control')).console()
  return await startEdge({
    simulator: { historyDelayMs: { initial: 50, historical: 100 } },
    ...options,
    variables: { CONSOLE_DEMO_USER: demoUser, CONSOLE_DEMO_OPERATOR: 'operator', ...options.variables },
    start: ({ bindings, port, simulator }) =>
      startBundle({ bindings: { ...bindings, CONSOLE_BANK_URL: `${simulator.url}/panel` }, port, assets }),
  })
}

export interface Tab {
  readonly page: Page
  readonly mishaps: Mishaps
}

/**
 * A fresh browser profile at the console's address. When the test ends, the profile is closed, and the test fails with each mishap
 * that it has not named with `mishaps.expect`.
 */
export async function openTab(
  browser: Browser,
  url: string,
  options: { locale?: string; bypassCSP?: boolean } = {},
): Promise<Tab> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 900 }, ...options })
  const mishaps = await recordMishaps(context, new URL(url).origin)
  onTestFinished(async () => {
    try {
      await mishaps.check()
    } finally {
      await context.close()
    }
  })
  const page = await context.newPage()
  await page.goto(url)
  return { page, mishaps }
}

export const showsHeading = async (page: Page, name: string | RegExp, timeout = 30_000): Promise<void> =>
  await page.getByRole('heading', { level: 1, name }).waitFor({ timeout })

/** A tab of the demo user, at the overview. */
export async function openDemoTab(browser: Browser, url: string): Promise<Tab> {
  const tab = await openTab(browser, url)
  await tab.page.getByRole('button', { name: 'Continue as demo user' }).click()
  await showsHeading(tab.page, 'Overview')
  return tab
}
