// What a person waits for and sees move in the console: first contentful paint and layout shift of each page, loaded as a
// whole by a real browser from the local stack, with the accounts of a linked bank. The targets are those of
// https://web.dev/articles/vitals for a good page; the paint's is stricter, because the network is a loopback.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { browserPath, startBrowser } from '../../dev/lib/browser.ts'
import { apiOf } from '../lib/api-client.ts'
import { bankOf } from '../lib/bank-client.ts'
import { sendTo } from '../lib/http.ts'
import { pollUntil } from '../lib/poll.ts'
import { startThrowawayStack, type ThrowawayStack } from '../lib/throwaway-stack.ts'
import { type Benchmark, median, type Result, rounded } from './result.ts'

const rounds = 5
const paintTargetMs = 1000
const shiftTarget = 0.1
/** How long a page is watched after its requests have ended. */
const settleMs = 500
const linkedWithinMs = 120_000

/** The static page that the others are compared with. */
const staticPath = '/docs'
const personPaths = [
  '/',
  '/banks',
  '/accounts',
  '/transactions',
  '/spending',
  '/spending/cash-flow',
  '/spending/recurring',
  '/investments',
  '/investments/activity',
  '/debts',
  '/settings',
  '/settings/security',
  '/settings/activity',
]
const operatorPaths = [
  '/operations',
  ...['items', 'runs', 'webhooks', 'refusals', 'dead-letters', 'exchanges', 'removals', 'quota', 'usage', 'audit'].map(
    (list) => `/operations/${list}`,
  ),
]

interface Load {
  readonly paintMs: number
  /** The sum of all layout shifts that no input caused: at least the score that browsers report. */
  readonly shift: number
}

interface Seen {
  readonly paints: number[]
  readonly shifts: number[]
}

/** Runs in the page before its scripts. */
function watchPage(): void {
  const seen: Seen = { paints: [], shifts: [] }
  Reflect.set(globalThis, 'seen', seen)
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries())
      if (name === 'first-contentful-paint') seen.paints.push(startTime)
  }).observe({ type: 'paint', buffered: true })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if (Reflect.get(entry, 'hadRecentInput') === false) seen.shifts.push(Number(Reflect.get(entry, 'value')))
  }).observe({ type: 'layout-shift', buffered: true })
}

/** @throws Error if the page shows no heading, or the browser reports no paint */
async function load(page: Page, url: string): Promise<Load> {
  await page.goto(url, { waitUntil: 'networkidle' })
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await page.waitForTimeout(settleMs)
  const { paints, shifts } = await page.evaluate(() => Reflect.get(globalThis, 'seen') as Seen)
  const [paintMs] = paints
  if (paintMs === undefined) throw new Error(`The browser reported no paint of ${url}.`)
  return { paintMs, shift: shifts.reduce((sum, value) => sum + value, 0) }
}

/** @throws Error if this browser reports no shift of a page that moves */
async function checkShiftsAreSeen(page: Page, url: string): Promise<void> {
  await load(page, url)
  await page.evaluate(() => {
    const block = document.createElement('div')
    block.style.height = '200px'
    const heading = document.querySelector('h1')
    heading?.parentNode?.insertBefore(block, heading)
  })
  await page.waitForTimeout(settleMs)
  const { shifts } = await page.evaluate(() => Reflect.get(globalThis, 'seen') as Seen)
  if (!shifts.some((value) => value > 0)) throw new Error('The browser reports no layout shifts.')
}

/** Links a bank for the demo user, and waits until every product was read. */
async function linkBank({ stack }: ThrowawayStack, signal: AbortSignal): Promise<void> {
  const { api, plaid, token } = stack.ready
  const [user, bank] = [
    apiOf(sendTo(api, { authorization: `Bearer ${token}` }, signal)),
    bankOf(sendTo(plaid, {}, signal)),
  ]
  const linkToken = await user.createLinkToken()
  const { publicToken } = await bank.finishLink(linkToken, { username: 'user_good', password: 'pass_good' })
  const { id } = await user.exchange(publicToken, linkToken)
  await pollUntil(
    { signal, timeoutMs: linkedWithinMs },
    () => user.item(id),
    ({ products }) => products.every(({ status, last_synced_at }) => status === 'absent' || last_synced_at !== null),
  )
}

async function signIn(browser: Browser, api: string, as: string): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  await page.goto(api)
  await page.getByRole('button', { name: `Continue as demo ${as}` }).click()
  await page.getByRole('navigation').first().waitFor()
  await page.close()
  await context.addInitScript(watchPage)
  return context
}

function resultsOf(path: string, loads: readonly Load[], still: readonly Load[]): Result[] {
  const paint = median(loads.map(({ paintMs }) => paintMs))
  const stillPaint = median(still.map(({ paintMs }) => paintMs))
  const shift = Math.max(...loads.map((each) => each.shift))
  return [
    {
      name: `console: first contentful paint of ${path}`,
      value: rounded(paint),
      unit: 'ms',
      against: rounded(stillPaint),
      ratio: rounded(paint / stillPaint),
      target: `< ${paintTargetMs} ms`,
      ok: paint < paintTargetMs,
    },
    {
      name: `console: layout shift of ${path}`,
      value: rounded(shift),
      unit: '',
      against: shiftTarget,
      ratio: rounded(shift / shiftTarget),
      target: `< ${shiftTarget}`,
      ok: shift < shiftTarget,
    },
  ]
}

export const consoleBenchmark: Benchmark = {
  async run(say, signal) {
    const executable = browserPath()
    if (executable === null) throw new Error('There is no Chromium. Install it, or set CHROMIUM_PATH.')
    say('starting a stack with the console')
    const failing = new AbortController()
    const either = AbortSignal.any([signal, failing.signal])
    const stack = await startThrowawayStack({
      print: () => {},
      signal: either,
      onFailure: (message) => failing.abort(new Error(message)),
      console: true,
    })
    try {
      await linkBank(stack, either)
      const browser = await startBrowser(executable)
      try {
        const { api } = stack.stack.ready
        const contexts = { user: await signIn(browser, api, 'user'), operator: await signIn(browser, api, 'operator') }
        const pages = { user: await contexts.user.newPage(), operator: await contexts.operator.newPage() }
        await checkShiftsAreSeen(pages.user, `${api}/`)
        const asked = [
          ...[staticPath, ...personPaths].map((path) => ({ path, page: pages.user })),
          ...operatorPaths.map((path) => ({ path, page: pages.operator })),
        ]
        const loads = new Map(asked.map(({ path }): [string, Load[]] => [path, []]))
        for (let round = 0; round <= rounds; round += 1) {
          say(`round ${round} of ${rounds}`)
          for (const { path, page } of asked) {
            either.throwIfAborted()
            const seen = await load(page, `${api}${path}`)
            // The first round fills the caches of the browser and the database.
            if (round > 0) loads.get(path)?.push(seen)
          }
        }
        const still = loads.get(staticPath) ?? []
        return asked.slice(1).flatMap(({ path }) => resultsOf(path, loads.get(path) ?? [], still))
      } finally {
        await browser.close()
      }
    } finally {
      await stack.stop()
    }
  },
}
