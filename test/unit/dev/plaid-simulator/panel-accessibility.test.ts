// Every page of the Bank panel in a real browser: axe in light and dark, everything within reach of the keyboard, nothing cut off,
// and pictures in dist/screenshots.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { keyboardFaultsOf } from '../../../support/axe.ts'
import { browserOrReason, startBrowser } from '../../../support/browser.ts'
import { review } from '../../../support/page-review.ts'
import { type BankDesk, openDesk, openReceiver } from './bank-desk.ts'
import { sampled } from '../../../support/sampled.ts'

const chromium = browserOrReason()

interface Person {
  readonly desk: BankDesk
  readonly page: Page
  readonly item: string
  readonly open: (path: string) => Promise<void>
  readonly press: (name: string | RegExp) => Promise<void>
}

type Way = (person: Person) => Promise<void>

const opening =
  (path: string): Way =>
  async ({ open }) =>
    await open(path)
const then =
  (...ways: readonly Way[]): Way =>
  async (person) => {
    for (const way of ways) await way(person)
  }
const pressing =
  (name: string | RegExp): Way =>
  async ({ press }) =>
    await press(name)
const unfolding =
  (text: string | RegExp): Way =>
  async ({ page }) =>
    await page.getByText(text).first().click()
const bank: Way = async ({ open, item }) => await open(`/items/${item}`)

const webhooksSent: Way = async ({ desk, item }) => {
  await desk.control('/webhooks', { drop: 1 })
  for (const change of [{ login_required: true }, { login_repaired: true }])
    await desk.control(`/items/${item}/bank`, change)
  await desk.control('/webhooks', { duplicate: true, reorder: 2, delay_ms: 5000, tamper: 'hash' })
}

/** By the name of its picture. */
const pages: readonly (readonly [name: string, title: string, way: Way])[] = [
  ['banks', 'Banks', opening('')],
  ['banks-empty', 'Banks', then(async ({ desk }) => void (await desk.control('/reset', {})), opening(''))],
  ['bank', 'First Platypus Bank', bank],
  ['bank-broken', 'First Platypus Bank', then(bank, pressing('Break the login'), unfolding('Request and response'))],
  [
    'bank-refused',
    'First Platypus Bank',
    then(bank, async ({ page }) => {
      const form = page.getByRole('region', { name: 'New transaction' })
      await form.getByLabel('Name', { exact: true }).fill('Coffee')
      await form.getByLabel('Amount').fill('0.00')
      await form.getByRole('button').click()
      await page.getByRole('alert').getByText('The amount must be a number').waitFor()
    }),
  ],
  [
    'bank-transaction',
    'First Platypus Bank',
    then(bank, async ({ page }) => {
      await page.getByRole('region', { name: 'Transactions' }).locator('summary').first().click()
      await page.getByRole('region', { name: 'Accounts' }).locator('summary').first().click()
      await page.getByText('Consent and end of access').click()
      await page.getByText('Open an account').click()
    }),
  ],
  [
    'bank-revoked',
    'First Platypus Bank',
    then(async ({ desk, item }) => {
      await desk.control(`/items/${item}/bank`, { revoke: true })
    }, bank),
  ],
  ['bank-unknown', 'There is no such bank', opening('/items/none')],
  ['webhooks', 'Webhooks', opening('/webhooks')],
  [
    'webhooks-disturbed',
    'Webhooks',
    then(webhooksSent, opening('/webhooks'), unfolding('Signatures'), unfolding(/ITEM\s+ERROR/)),
  ],
  ['failures', 'Failures', opening('/failures')],
  [
    'failures-ordered',
    'Failures',
    then(opening('/failures'), pressing('Make the calls fail'), pressing('Change the responses')),
  ],
  ['clock', 'Clock', opening('/clock')],
]

describe.skipIf(chromium === null)('a page of the Bank panel', () => {
  let browser: Browser
  let context: BrowserContext
  let person: Person

  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '')
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    const [desk, receiver] = [await openDesk(), await openReceiver()]
    const { item_id: item } = await desk.link({ institution: 'ins_109508', webhook: receiver.url })
    await desk.control(`/items/${item}/bank`, { history: 'historical', add: [{ pending: true, name: 'Café' }] })
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    person = {
      desk,
      page,
      item,
      open: async (path) => void (await page.goto(`${desk.simulator.url}/panel${path}`)),
      press: async (name) => await page.getByRole('button', { name }).first().click(),
    }
    return () => context.close()
  })

  test.each(sampled(pages, 4, 2))('is accessible and fits every width: %s', async (name, title, way) => {
    const { page } = person
    const errors: string[] = []
    page.on('console', (message) => void errors.push(message.text()))
    await way(person)
    await page.getByRole('heading', { level: 1, name: title }).waitFor()
    await review(page, `panel-${name}`)
    expect(await keyboardFaultsOf(page)).toEqual([])
    expect(errors.filter((text) => !text.includes('404'))).toEqual([])
  })

  test('says in its first line what the form did, with the focus, and a reload does nothing again', async () => {
    const { page, press, desk, item } = person
    await bank(person)
    await press('Break the login')
    const said = page.getByText('The login fails with ITEM_LOGIN_REQUIRED.').first()
    await said.waitFor()
    expect(await said.evaluate((element) => element === document.activeElement)).toBe(true)
    const before = (await desk.control('/webhooks')).text
    await page.reload()
    await page.getByText('The login fails with ITEM_LOGIN_REQUIRED.').first().waitFor()
    expect((await desk.control('/webhooks')).text).toBe(before)
    expect(page.url()).toContain(`/panel/items/${item}?done=`)
  })
})
