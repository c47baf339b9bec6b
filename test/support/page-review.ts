// Reviews a page in a real browser: axe at two widths, nothing cut off at any, and pictures for people to look at.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { violationsOf } from './axe.ts'

/** Fails with every violation of axe's default rules: WCAG 2.1 AA, and its best practices. */
export async function expectAccessible(page: Page, colorScheme: 'light' | 'dark' = 'light'): Promise<void> {
  await page.emulateMedia({ colorScheme })
  // Animations and transitions of colours end first; what shows that something is under way never ends.
  await page
    .evaluate(() => {
      const ending = document
        .getAnimations()
        .filter(({ effect }) => Number.isFinite(Number(effect?.getComputedTiming().endTime)))
      return Promise.all(ending.map((each) => each.finished.catch(() => null))).then(() => null)
    })
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

export const picturesFolder = join(projectFolder, 'dist', 'screenshots')
const wide = { width: 1280, height: 900 }
/** 320 px is also what a window of 640 px has at 200 % zoom. */
const widths = [wide, { width: 640, height: 900 }, { width: 320, height: 720 }]

/** Checks the page at every width, with axe where it is widest and light and where it is narrowest and dark, and writes a picture of each width in light and dark to dist/screenshots. */
export async function review(page: Page, name: string): Promise<void> {
  await mkdir(picturesFolder, { recursive: true })
  await expectAccessible(page)
  for (const size of widths) {
    await page.setViewportSize(size)
    await expectNoOverflow(page)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({
        path: join(picturesFolder, `${name}-${size.width}-${colorScheme}.png`),
        animations: 'disabled',
      })
    }
    if (size.width === 320) await expectAccessible(page, 'dark')
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(wide)
}
