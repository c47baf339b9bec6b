// The console in a real browser: the product with its pages, and tabs that record what a page must never do.
import type { Browser, Page } from 'playwright-core'
import { inject } from 'vitest'
import { startBundle } from './bundle.ts'
import { type Edge, type EdgeOptions, startEdge } from './edge.ts'
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
  /** Errors in the console, violations of the policy, requests to other origins, and failed requests. */
  readonly mishaps: string[]
}

/** A page that navigates may leave the console; its scripts, styles and requests may not. */
function record(page: Page, origin: string, isOurs: () => boolean): string[] {
  const mishaps: string[] = []
  page.on('console', (message) => {
    if (isOurs() && (message.type() === 'error' || message.type() === 'warning')) mishaps.push(message.text())
  })
  page.on('pageerror', (error) => void mishaps.push(error.message))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (isOurs() && url.origin !== origin && !request.isNavigationRequest()) mishaps.push(`request to ${url.origin}`)
  })
  page.on('response', (response) => {
    if (isOurs() && response.status() >= 400) mishaps.push(`${response.status()} ${new URL(response.url()).pathname}`)
  })
  return mishaps
}

/** A fresh browser profile at the console's address. */
export async function openTab(browser: Browser, url: string, options: { locale?: string } = {}): Promise<Tab> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const { origin } = new URL(url)
  const mishaps = record(page, origin, () => page.url() === 'about:blank' || new URL(page.url()).origin === origin)
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      // oxlint-disable-next-line no-console -- an error in the console fails the test
      console.error(`policy violation: ${violatedDirective} ${blockedURI}`),
    )
  })
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
