// Every page of Link and of the bank in a real browser: no violation of axe's rules in light and dark colours, everything within
// reach of the keyboard with a visible focus, and no horizontal scrolling on a narrow screen.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Step } from '../../../../src/dev/plaid-simulator/state/link-page.ts'
import { keyboardFaultsOf, violationsOf } from '../../../support/axe.ts'
import { browserOrReason, startBrowser } from '../../../support/browser.ts'
import { type BankDesk, openDesk } from './bank-desk.ts'
import { linkTokenFor } from './link-visitor.ts'
import { sampled } from '../../../support/sampled.ts'

const chromium = browserOrReason()
const gingham = 'First Gingham Credit Union'
const oauthBank = 'Platypus OAuth Bank'

/** The browser of one user. */
interface User {
  readonly desk: BankDesk
  readonly page: Page
  /** Opens the page of a new link token. Returns its URL. */
  readonly open: (more?: object) => Promise<string>
  readonly press: (name: string) => Promise<void>
}

type Way = (user: User) => Promise<void>

const logIn =
  (password = 'pass_good'): Way =>
  async ({ page, press }) => {
    await page.getByLabel('User name').fill('user_good')
    await page.getByLabel('Password').fill(password)
    await press('Log in')
  }
const toBank =
  (bank = gingham): Way =>
  async ({ press, open }) => {
    await open()
    await press('Continue')
    await press(bank)
  }
const then =
  (...ways: readonly Way[]): Way =>
  async (user) => {
    for (const way of ways) await way(user)
  }
const pressing =
  (...names: readonly string[]): Way =>
  async ({ press }) => {
    for (const name of names) await press(name)
  }
const opening =
  (more: object = {}): Way =>
  async ({ open }) =>
    void (await open(more))
const going =
  (suffix: string): Way =>
  async ({ page }) =>
    void (await page.goto(`${page.url().replace(/\?.*$/, '')}${suffix}`))
const toUpdate =
  (more: object = {}, institution = 'ins_109509'): Way =>
  async ({ desk, open }) => {
    const { access_token, item_id } = await desk.link({ institution })
    await desk.control(`/items/${item_id}/bank`, { login_required: true })
    await open({ access_token, ...more })
  }
/** Link in a page of the application, which a frame shows. */
const embedded =
  (more: object = {}): Way =>
  async ({ desk, page }) => {
    const { token } = await linkTokenFor(desk, { hosted_link: undefined, ...more })
    await page.goto(`${desk.simulator.url}/hl/${token}/embed?origin=http://127.0.0.1:1`)
  }
const wrongly = (password: string, ...replies: readonly Way[]): Way => then(toBank(), logIn(password), ...replies)
const noneChosen: Way = async ({ page }) => {
  for (const box of await page.getByRole('checkbox').all()) await box.uncheck()
}
const reply =
  (text: string): Way =>
  async ({ page, press }) => {
    for (const field of await page.locator('main input:not([type=radio])').all()) await field.fill(text)
    for (const group of await page.getByRole('group').all()) await group.getByRole('radio').first().check()
    await press('Continue')
  }
const linked = then(toBank(), logIn(), pressing('Share the accounts'))

/** Each state of each step, by the title of its page. The compiler asks for every step. */
const steps: Readonly<Record<Step, Readonly<Record<string, Way>>>> = {
  consent: {
    'uses Plaid to link your bank': opening(),
    'Log in again at First Gingham Credit Union': toUpdate(),
    'uses Plaid to link your bank (in a frame)': embedded(),
  },
  bank: {
    'Choose your bank': then(opening(), pressing('Continue')),
    'Choose your bank (none found)': then(opening(), pressing('Continue'), going('?q=none')),
    'Choose your bank (none offered)': then(
      opening({ products: ['transactions', 'investments', 'liabilities', 'auth', 'identity', 'assets'] }),
      pressing('Continue'),
    ),
  },
  login: {
    'Log in at First Gingham Credit Union': toBank(),
    'Log in at First Gingham Credit Union (wrong password)': wrongly('wrong'),
    'Log in at First Gingham Credit Union (update)': then(toUpdate(), pressing('Continue')),
    'Log in at First Gingham Credit Union (test users)': then(toBank(), async ({ page }) =>
      page.getByText('Test users').click(),
    ),
  },
  mfa: {
    'Choose a device': wrongly('mfa_device'),
    'Enter the code': wrongly('mfa_device', reply('')),
    'Enter the code (wrong)': wrongly('mfa_device', reply(''), reply('9999')),
    'Answer the questions of your bank': wrongly('mfa_questions_1_2'),
    'Choose all that apply': wrongly('mfa_selections_1_2_3'),
  },
  accounts: {
    'Choose your accounts': wrongly('pass_good'),
    'Choose your accounts (none chosen)': wrongly('pass_good', noneChosen, pressing('Share the accounts')),
  },
  oauth: {
    'Log in on the page of Platypus OAuth Bank': toBank(oauthBank),
    'Log in on the page of Platypus OAuth Bank (denied)': then(
      toBank(oauthBank),
      pressing('Continue to your bank', 'Cancel and go back'),
    ),
  },
  departure: {
    'Going to Platypus OAuth Bank': then(
      embedded({ redirect_uri: 'https://app.example.com/oauth' }),
      pressing('Continue', oauthBank, 'Continue to your bank'),
    ),
  },
  error: {
    'The bank could not be linked': wrongly('error_ITEM_LOCKED'),
    'The login could not be repaired': then(toUpdate(), pressing('Continue'), logIn('error_ITEM_LOCKED')),
  },
  linked: {
    'First Gingham Credit Union is linked': then(
      opening({ enable_multi_item_link: true }),
      pressing('Continue', gingham),
      logIn(),
      pressing('Share the accounts'),
    ),
  },
}

/** The pages around the steps. */
const others: Readonly<Record<string, Way>> = {
  'Leave without linking?': then(opening(), going('?leave')),
  'Leave without a new login?': then(toUpdate(), going('?leave')),
  'You have left Link': then(opening(), going('?leave'), pressing('Leave')),
  'Your bank is linked': linked,
  'Your login works again': then(toUpdate(), pressing('Continue'), logIn()),
  'This link has been used': then(linked, async ({ page }) => {
    await page.goto(page.url().replace('/done', ''))
  }),
  'This link does not exist': async ({ desk, page }) =>
    void (await page.goto(`${desk.simulator.url}/hl/link-sandbox-none`)),
  'This link opens in the application': async ({ desk, page }) => {
    const { token } = await linkTokenFor(desk, { hosted_link: undefined })
    await page.goto(`${desk.simulator.url}/hl/${token}`)
  },
  'This link has expired': async ({ page, open }) => {
    await open({ hosted_link: { url_lifetime_seconds: 1 } })
    await page.waitForTimeout(1100)
    await page.reload()
  },
  'This return belongs to another visit': then(opening(), going('/return?oauth_state_id=other')),
  'Log in (at the bank)': then(toBank(oauthBank), pressing('Continue to your bank')),
  'Log in (at the bank, wrong password)': then(toBank(oauthBank), pressing('Continue to your bank'), logIn('wrong')),
  'to read your data? (at the bank)': then(toBank(oauthBank), pressing('Continue to your bank'), logIn()),
  'to read your data? (at the bank, none chosen)': then(
    toBank(oauthBank),
    pressing('Continue to your bank'),
    logIn(),
    noneChosen,
    pressing('Allow'),
  ),
  'to read your data? (at the bank, update)': then(
    toUpdate({}, 'ins_127287'),
    pressing('Continue', 'Continue to your bank'),
    logIn(),
  ),
}

const pages = Object.entries<Way>(Object.assign({}, ...Object.values(steps), others))

describe.skipIf(chromium === null)('a page of Link', () => {
  let browser: Browser
  let context: BrowserContext
  let user: User

  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '')
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    const desk = await openDesk()
    context = await browser.newContext({ viewport: { width: 320, height: 700 } })
    const page = await context.newPage()
    user = {
      desk,
      page,
      async open(more = {}) {
        const { url } = await linkTokenFor(desk, more)
        await page.goto(url)
        return url
      },
      press: async (name) => await page.getByRole('button', { name }).click(),
    }
    return () => context.close()
  })

  test.each(sampled(pages, 6))('is accessible: %s', async (title, way) => {
    await way(user)
    const { page } = user
    await page.getByRole('heading', { level: 1, name: title.replace(/ \(.*\)$/, '') }).waitFor()
    const faults: string[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      faults.push(...(await violationsOf(page)).map((violation) => `${colorScheme}: ${violation}`))
    }
    const width = await page.evaluate('document.documentElement.scrollWidth')
    if (width !== 320) faults.push(`the page is ${String(width)} pixels wide`)
    expect([...faults, ...(await keyboardFaultsOf(page))]).toEqual([])
  })
})
