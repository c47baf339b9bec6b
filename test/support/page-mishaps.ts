// What goes wrong in a browser's pages: errors and warnings in the console, violations of the policy, requests to other origins,
// failed requests. A test names those that it causes, and fails with every other one.
import type { BrowserContext, Page } from 'playwright-core'

export interface Mishaps {
  readonly all: readonly string[]
  /** Names a mishap that the test causes. It must happen. */
  expect(pattern: RegExp): void
  /** @throws Error that lists what happened without a name, and what was named and did not happen */
  check(): Promise<void>
}

/** Said once more by the browser; the response is recorded. */
const isOfResponse = (text: string): boolean => text.startsWith('Failed to load resource: the server responded with')

function recordInto(all: string[], context: BrowserContext, origin: string): void {
  // A page that navigates may leave the console; its scripts, styles and requests may not.
  const isOurs = (page: Page | null): boolean =>
    page !== null && (page.url() === 'about:blank' || new URL(page.url()).origin === origin)
  context.on('console', (message) => {
    const isFault = message.type() === 'error' || message.type() === 'warning'
    if (isFault && isOurs(message.page()) && !isOfResponse(message.text())) all.push(message.text())
  })
  context.on('weberror', (error) => {
    if (isOurs(error.page())) all.push(error.error().message)
  })
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (request.isNavigationRequest() || !/^https?:$/.test(url.protocol) || url.origin === origin) return
    if (isOurs(request.frame().page())) all.push(`request to ${url.origin}`)
  })
  context.on('response', (response) => {
    const url = new URL(response.url())
    if (url.origin === origin && response.status() >= 400) all.push(`${response.status()} ${url.pathname}`)
  })
}

/** Records from now on. */
export async function recordMishaps(context: BrowserContext, origin: string): Promise<Mishaps> {
  const all: string[] = []
  const expected: RegExp[] = []
  recordInto(all, context, origin)
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      // oxlint-disable-next-line no-console -- an error in the console fails the test
      console.error(`policy violation: ${violatedDirective} ${blockedURI}`),
    )
  })
  return {
    all,
    expect: (pattern) => void expected.push(pattern),
    async check() {
      // The events of a page arrive before the result of a later evaluation.
      await Promise.all(context.pages().map((page) => page.evaluate(() => null).catch(() => null)))
      const unexpected = all.filter((text) => !expected.some((pattern) => pattern.test(text)))
      const missing = expected.filter((pattern) => !all.some((text) => pattern.test(text)))
      if (unexpected.length + missing.length === 0) return
      const lines = [...unexpected, ...missing.map((pattern) => `did not happen: ${String(pattern)}`)]
      throw new Error(`The page had mishaps:\n${lines.join('\n')}`)
    },
  }
}
