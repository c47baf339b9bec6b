// The examples run by the commands of their READMEs, on one stack; the page in a real browser.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { names } from '../../src/cli/example/names.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { keyboardFaultsOf, violationsOf } from '../support/axe.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'

const startMs = 600_000
const lines: string[] = []
let command: ChildProcess
let exited: Promise<number | null>
let pageUrl = ''

beforeAll(async () => {
  // The page runs until it is stopped, so it is the last one.
  const others = names.filter((name) => name !== 'page')
  command = spawn(process.execPath, ['src/cli/example.ts', ...others, 'page', '--port', '0'], {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  exited = new Promise((resolve) => command.once('exit', resolve))
  const { stdout, stderr } = command
  if (stdout === null || stderr === null) throw new Error('the command has no output')
  createInterface({ input: stderr }).on('line', (line) => lines.push(line))
  pageUrl = await new Promise<string>((resolve, reject) => {
    void exited.then(() => reject(new Error(`the examples ended: ${lines.slice(-20).join('\n')}`)))
    createInterface({ input: stdout }).on('line', (line) => {
      lines.push(line)
      if (line.startsWith('PAGE ')) resolve(line.slice('PAGE '.length))
    })
  })
}, startMs)
afterAll(async () => {
  command.kill('SIGKILL')
  await exited
})

it.each(names)('the README of %s names the command that runs it', async (name) => {
  const text = await readFile(join(projectFolder, 'src', 'examples', name, 'README.md'), 'utf8')
  expect([...text.matchAll(/^npm run .*$/gm)].map(([line]) => line)).toEqual([`npm run example -- ${name}`])
  for (const [, file = ''] of text.matchAll(/\]\(([\w.-]+)\)/g))
    expect(existsSync(join(projectFolder, 'src', 'examples', name, file))).toBe(true)
})

it('the server has at most 30 lines of code', async () => {
  const text = await readFile(join(projectFolder, 'src', 'examples', 'server', 'server.ts'), 'utf8')
  const code = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*(?:\/\/|\/\*\*)/.test(line))
  expect(code.length).toBeLessThanOrEqual(30)
})

it.each(names.filter((name) => name !== 'page'))('the example %s runs, and prints what its README says', (name) => {
  expect(lines).toContain(`== ${name}: done`)
})

const chromium = browserOrReason()

describe.skipIf(chromium === null)('the page in a browser', () => {
  let browser: Browser
  let page: Page
  const exchanges: string[] = []
  const failures: string[] = []

  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '')
    page = await browser.newPage({ viewport: { width: 1000, height: 800 } })
    page.on('request', (request) => {
      if (request.url().endsWith('/exchange') && request.method() === 'POST') exchanges.push(request.url())
    })
    page.on('pageerror', (error) => failures.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') failures.push(message.text())
    })
    await page.goto(pageUrl)
  })
  afterAll(() => browser.close())

  const status = () => page.getByRole('status')
  const connect = () => page.getByRole('button', { name: 'Connect a bank' })
  /** Link of the simulator, which the page opens with link-initialize.js. */
  const link = () => page.frameLocator('#plaid-link-simulator iframe')
  const picture = async (name: string): Promise<void> => {
    const folder = process.env['PICTURES']
    if (!folder) return
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1000, 360]) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height: 800 })
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) })
      }
  }

  it('says to a user who leaves Link that no bank was connected, and starts again', async () => {
    await page.getByText('No bank is connected yet.').waitFor()
    await picture('empty')
    await connect().click()
    await link().getByRole('link', { name: 'Exit' }).click()
    await link().getByRole('button', { name: 'Leave' }).click()
    await expect.poll(() => status().textContent()).toBe('You left before your bank was connected.')
    await page.getByRole('button', { name: 'Try again' }).click()
    await link().getByRole('button', { name: 'Continue' }).click()
    await link().getByRole('button', { name: 'First Platypus Bank' }).waitFor()
    await picture('link')
  })

  it('connects a bank with one exchange under React StrictMode, and shows every digit', async () => {
    await link().getByRole('button', { name: 'First Platypus Bank' }).click()
    await link().getByLabel('User name').fill('user_good')
    await link().getByLabel('Password').fill('pass_good')
    await link().getByRole('button', { name: 'Log in' }).click()
    await link().getByRole('button', { name: 'Share the accounts' }).click()
    await expect.poll(() => status().textContent(), { timeout: 90_000 }).toBe('Connected.')
    const amounts = await page.locator('tr td:last-child').allTextContents()
    expect(amounts.length).toBeGreaterThan(2)
    for (const amount of amounts) expect(amount).toMatch(/^(?:-?\d+(?:\.\d+)?|–) \w+$/)
    expect(exchanges).toHaveLength(1)
    await picture('connected')
  })

  it('shows the bank after a reload, and keeps nothing of the flow', async () => {
    await page.reload()
    await page.getByRole('heading', { name: 'First Platypus Bank' }).waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
    expect(await status().textContent()).toBe('')
  })

  it('is accessible, fits a narrow screen, and reports no error', async () => {
    expect([...(await violationsOf(page)), ...(await keyboardFaultsOf(page))]).toEqual([])
    await page.setViewportSize({ width: 320, height: 700 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
    expect(failures).toEqual([])
  })
})

it('the command ends with Ctrl-C as a success', async () => {
  command.kill('SIGINT')
  expect(await exited).toBe(0)
})
