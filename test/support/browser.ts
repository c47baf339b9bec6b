// Whether the tests of pages run.
import { browserPath } from '../../src/dev/lib/browser.ts'

export { startBrowser } from '../../src/dev/lib/browser.ts'

/** Said once where the tests of pages cannot run. CI has a browser, and fails without one. */
export function browserOrReason(): string | null {
  const path = browserPath()
  if (path !== null) return path
  if (process.env['CI'] !== undefined || process.env['PROOFS'] === 'all')
    throw new Error('The tests of pages need Chromium: install it, or set CHROMIUM_PATH.')
  process.stderr.write(
    '\nTHE TESTS OF PAGES DO NOT RUN: there is no Chromium. Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH.\n\n',
  )
  return null
}
