// The whole story of a bank by keyboard alone: link, look, break the login in the Bank panel, repair it, and read what happened on
// one timeline. Presses the buttons that the README's tour names.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { openTab, showsHeading, startConsole } from '../support/console-page.ts'
import type { Edge } from '../support/edge.ts'
import { keyboardOf } from '../support/keyboard.ts'

const browserPath = browserOrReason()

/** The buttons and links that the README's tour in the browser names, in order. */
function buttonsOfTour(): string[] {
  const readme = readFileSync(join(projectFolder, 'README.md'), 'utf8')
  const tour = /^## Tour in the browser\n(.*?)^## /ms.exec(readme)?.[1] ?? ''
  return [...tour.matchAll(/\*\*([^*]+)\*\*/g)].map(([, label = '']) => label)
}

describe.skipIf(browserPath === null)('The console by keyboard', () => {
  let edge: Edge
  let browser: Browser

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? '')
    edge = await startConsole()
  })
  afterAll(async () => {
    await browser.close()
    await edge.stop()
  })

  const connected = async (page: Page): Promise<void> => {
    await page.waitForURL(`${edge.url}/connect/return`)
    await showsHeading(page, /^First Platypus Bank is connected$/, 60_000)
  }

  test('a newcomer without a mouse links a bank, breaks and repairs it, and reads its timeline', async () => {
    const pressed: string[] = []
    const { page } = await openTab(browser, edge.url)
    const keys = keyboardOf(page, pressed)
    await page.getByRole('button', { name: 'Continue as demo user' }).waitFor()
    await keys.press('Continue as demo user')
    await page.getByRole('heading', { name: 'Connect your first bank' }).waitFor()
    await keys.press('Connect a bank')

    await showsHeading(page, /uses Plaid/)
    await keys.enter()
    await showsHeading(page, 'Choose your bank')
    await keys.press('F First Platypus Bank')
    await showsHeading(page, 'Log in at First Platypus Bank')
    await keys.type('user_good')
    await keys.find('Password')
    await keys.type('pass_good')
    await keys.enter()
    await showsHeading(page, 'Choose your accounts')
    await keys.press('Share the accounts')
    await connected(page)
    await edge.settled()

    await keys.press('See your accounts')
    await page.getByRole('rowheader', { name: /^Plaid Checking/ }).waitFor()
    await keys.press('Transactions', 'back')
    await page.getByText('Metro Transit').first().waitFor()
    await keys.press('Overview', 'back')
    await page.getByRole('slider', { name: /Net worth/ }).waitFor()

    const opened = page.waitForEvent('popup')
    await keys.press('The bank (simulator)', 'back')
    const panel = await opened
    const bankKeys = keyboardOf(panel, pressed)
    await showsHeading(panel, 'Banks')
    await bankKeys.press('First Platypus Bank')
    await showsHeading(panel, 'First Platypus Bank')
    await bankKeys.press('Break the login')
    await panel.getByRole('status').getByText('The login fails with ITEM_LOGIN_REQUIRED.').waitFor()

    await page.bringToFront()
    await page.getByText('Sign-in needed').waitFor({ timeout: 30_000 })
    await keys.press('Sign in again')
    await showsHeading(page, 'Log in again at First Platypus Bank')
    await keys.enter()
    await showsHeading(page, 'Log in at First Platypus Bank')
    await keys.type('pass_good')
    await keys.enter()
    await connected(page)
    await edge.settled()

    await keys.press('Sign out', 'back')
    await page.getByRole('button', { name: 'Continue as demo operator' }).waitFor()
    await keys.press('Continue as demo operator')
    await showsHeading(page, 'Operations')
    await keys.press('Items')
    await showsHeading(page, 'Items')
    await keys.press('ins_109508')
    await showsHeading(page, 'Item')
    await page.getByText('Change: Item repaired').first().waitFor()
    const newestFirst = (await page.locator('main').innerText()).split('\n')
    const story = ['Healthy', 'Change: Item repaired', 'Webhook: ITEM ERROR', 'Change: Item linked']
    expect(newestFirst.filter((line, at) => story.includes(line) && newestFirst.indexOf(line) === at)).toEqual(story)

    const tour = buttonsOfTour()
    expect(tour.length).toBeGreaterThan(5)
    expect(pressed.filter((name) => tour.includes(name))).toEqual(tour)
  }, 240_000)
})
