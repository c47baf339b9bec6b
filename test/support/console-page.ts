// The console in a real browser: the product with its pages, tabs that record what a page must never do, axe on the page, and
// pictures of every page for people to look at.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { expect, inject } from 'vitest'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { violationsOf } from './axe.ts'
import { startBundle } from './bundle.ts'
import { type Edge, type EdgeOptions, startEdge } from './edge.ts'
import { connectStack } from './stack.ts'

export const demoUser = 'demo'

/** The product with its console, and the demo user of a laptop. */
export async function startConsole(options: EdgeOptions = {}): Promise<Edge> {
  const assets = await connectStack(inject('control')).console()
  return await startEdge({
    simulator: { historyDelayMs: { initial: 50, historical: 100 } },
    ...options,
    variables: { CONSOLE_DEMO_USER: demoUser, CONSOLE_DEMO_OPERATOR: 'operator', ...options.variables },
    start: (given) => startBundle({ ...given, assets }),
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

/** Fails with every violation of axe's default rules: WCAG 2.1 AA, and its best practices. */
export async function expectAccessible(page: Page, colorScheme: 'light' | 'dark' = 'light'): Promise<void> {
  await page.emulateMedia({ colorScheme })
  // Animations and transitions of colours end first.
  await page
    .evaluate(() =>
      Promise.all(document.getAnimations().map((each) => each.finished.catch(() => null))).then(() => null),
    )
    .catch(() => null)
  const found = await violationsOf(page)
  expect(found, `axe (${colorScheme}) at ${page.url()}`).toEqual([])
  await page.emulateMedia({ colorScheme: 'light' })
}

/** Nothing is cut off: the page does not scroll sideways. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  expect(beyond, `${page.url()} is wider than its window by`).toBe(0)
}

const folder = join(projectFolder, 'dist', 'screenshots')
const wide = { width: 1280, height: 900 }
/** 320 px is also what a window of 640 px has at 200 % zoom. */
const widths = [wide, { width: 640, height: 900 }, { width: 320, height: 720 }]

/** Checks the page at every width, with axe where it is widest and light and where it is narrowest and dark, and writes a picture of each width in light and dark to dist/screenshots. */
export async function review(page: Page, name: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await expectAccessible(page)
  for (const size of widths) {
    await page.setViewportSize(size)
    await expectNoOverflow(page)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: join(folder, `${name}-${size.width}-${colorScheme}.png`), animations: 'disabled' })
    }
    if (size.width === 320) await expectAccessible(page, 'dark')
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(wide)
}
