// The reference as readers use it: the page in a browser, and its curl lines, which a shell runs against a Worker.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { curlLine, pathVariables } from '../../src/dev/reference/curl.ts'
import { documentSchema, type Operation, operationsOf } from '../../src/dev/reference/document.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { tokenFor } from '../support/administrator.ts'
import { browserOrReason, startBrowser } from '../support/browser.ts'
import { expectNoOverflow, openTab, review, startConsole } from '../support/console-page.ts'
import type { Edge } from '../support/edge.ts'
import { runsLongProofs, sampled } from '../support/sampled.ts'

const description: unknown = JSON.parse(await readFile(join(projectFolder, 'docs', 'openapi.json'), 'utf8'))
const operations = operationsOf(documentSchema.parse(description))
const list = z.object({ data: z.array(z.looseObject({ id: z.string() })) })
const problem = z.object({ code: z.string() })

/** Routes that a deployment without these variables does not have. */
const everyFeature = {
  API_KEYS: 'on',
  SECURITY_CONTACT: 'mailto:security@example.com',
  OPERATOR_NAME: 'Example Ltd',
  OPERATOR_CONTACT: 'privacy@example.com',
  APPLE_APP_IDS: 'ABCDE12345.com.example.app',
  ANDROID_PACKAGE_NAMES: 'com.example.app',
  ANDROID_CERT_FINGERPRINTS: Array.from({ length: 32 }, () => 'AB').join(':'),
}

let edge: Edge
const variables: Record<string, string> = {}

beforeAll(async () => {
  edge = await startConsole({ variables: everyFeature })
  await edge.linkAndSync('alice')
  const created = await edge.as('alice')('POST', '/api/v1/plaid/link/token/create', { body: {} })
  const { link_token } = z.object({ link_token: z.string() }).parse(created.json())
  const { public_token } = z
    .object({ public_token: z.string() })
    .parse(await edge.bank.plaid('/simulator/link', { link_token }))
  variables['LINK_TOKEN'] = link_token
  variables['PUBLIC_TOKEN'] = public_token
  variables['API'] = edge.url
  variables['TOKEN'] = edge.token('alice')
  variables['ADMIN_TOKEN'] = tokenFor(edge, { path: '/api/v1/admin/' }, 'operator')
})
afterAll(() => edge.stop())

/** Runs the line in a shell, which also prints the status of the response. */
async function run(line: string): Promise<{ status: number; body: string }> {
  const script = `curl() { command curl -w '\\n%{http_code}' "$@"; }\n${line}`
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    env: { PATH: process.env['PATH'] ?? '', ...variables },
    maxBuffer: 50_000_000,
  })
  const end = stdout.lastIndexOf('\n')
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) }
}

const unknownId = '00000000-0000-4000-8000-000000000000'

/** Sets the variables of a path to the first row of their lists; false where a list has none. */
async function findIds(operation: Operation): Promise<boolean> {
  for (const { name, list: path } of pathVariables(operation)) {
    const parent = operations.find((other) => other.path === path && other.method === 'GET')
    const line = parent === undefined ? null : curlLine(parent)
    const answer = line === null ? null : await run(line)
    const [first] = answer?.status === 200 ? (list.safeParse(JSON.parse(answer.body)).data?.data ?? []) : []
    variables[name] = first?.id ?? unknownId
  }
  return pathVariables(operation).every(({ name }) => variables[name] !== unknownId)
}

// The sessions of built-in accounts are none of the token that a developer makes.
const runnable = operations.filter((operation) => curlLine(operation) !== null)
const reads = runnable.filter(({ method, tags }) => method === 'GET' && !tags.includes('auth'))
/** What hides the rows that other lines need comes last. */
const isLast = ({ method, operationId }: Operation): number =>
  Number(method === 'DELETE' || operationId === 'eraseData')
const writes = runnable.filter(({ method }) => method !== 'GET').toSorted((one, other) => isLast(one) - isLast(other))
/** What a reader must replace, and what the Worker says about it: no endpoint responds at the example's address. */
const withOwnValues: Readonly<Record<string, string>> = {
  createWebhookEndpoint: 'The URL of the endpoint is not allowed.',
  adminCreateWebhookEndpoint: 'The URL of the endpoint is not allowed.',
  orderRules: 'Must be the ids of all rules of the user, each once.',
}

const defects: readonly unknown[] = ['validation_failed', 'method_not_allowed', 'unsupported_media_type', 'internal']

/** Why a response shows that the line is wrong; null where the Worker understood it. */
function faultOf(operation: Operation, hasIds: boolean, { status, body }: { status: number; body: string }): unknown {
  if (operation.responses[status] === undefined) return status
  if (status < 400) return null
  const said = withOwnValues[operation.operationId]
  if (said !== undefined) return body.includes(said) ? null : body
  const { code } = problem.parse(JSON.parse(body))
  // The id of no row need not look like one.
  return defects.includes(code) && (hasIds || code !== 'validation_failed') ? code : null
}

describe('a reader runs', () => {
  test.each(sampled(reads, 3))('$method $path', async (operation) => {
    const hasIds = await findIds(operation)
    const { status, body } = await run(curlLine(operation) ?? '')
    expect([body.slice(0, 200), status]).toEqual([expect.any(String), hasIds ? 200 : 404])
  })

  test.each(sampled(writes, 3))('$method $path, whose example the Worker understands', async (operation) => {
    const hasIds = await findIds(operation)
    expect(faultOf(operation, hasIds, await run(curlLine(operation) ?? ''))).toBeNull()
  })
})

const browserPath = browserOrReason()

describe.skipIf(browserPath === null)('the page', () => {
  test('is in order at every width, in light and in dark', async () => {
    const browser = await startBrowser(browserPath ?? '')
    try {
      const { page } = await openTab(browser, `${edge.url}/docs`)
      await page.getByRole('navigation').getByText('link', { exact: true }).click()
      await page.getByRole('link', { name: 'Exchange a public token' }).first().click()
      // axe takes half a minute for so long a page.
      await (runsLongProofs() ? review(page, 'reference') : expectNoOverflow(page))
      await page.getByRole('article').getByText('Errors', { exact: true }).first().click()
    } finally {
      await browser.close()
    }
  })

  test('needs no script', async () => {
    const browser = await startBrowser(browserPath ?? '')
    try {
      const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
      await page.goto(`${edge.url}/docs#listTransactions`)
      expect(await page.locator('#listTransactions').textContent()).toContain('curl -s')
    } finally {
      await browser.close()
    }
  })
})
