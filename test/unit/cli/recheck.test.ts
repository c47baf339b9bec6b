// `npm run recheck` against a server that responds like the admin routes.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answering, json, startAnswering } from '../plaid/answering.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

let server: Answering
beforeAll(async () => {
  server = await startAnswering()
})
afterAll(() => server.stop())

const command = join(projectFolder, 'src', 'cli', 'recheck.ts')

function recheck(args: readonly string[], environment: Record<string, string>): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...environment }
    const child = execFile(process.execPath, [command, ...args], { env }, (_, out, error) =>
      resolve({ code: child.exitCode ?? -1, out: out + error }),
    )
  })
}

const page = (ids: readonly string[], next: string | null) =>
  json(JSON.stringify({ data: ids.map((id) => ({ id, status: 'relink_required' })), next_cursor: next }))
const known = (is: boolean) => json(JSON.stringify({ known: is, queued: is ? 3 : 0 }))

describe('the command recheck', () => {
  it('asks for every lost item of every page, waits where the limit says so, and reports what failed', async () => {
    server.answer(
      page(['one', 'two'], 'next page'),
      page(['three'], null),
      known(true),
      json('{"code":"rate_limited"}', 429, { 'retry-after': '0' }),
      known(false),
      json('{"code":"plaid_unavailable"}', 503),
    )
    const { code, out } = await recheck(['--url', server.url], { ADMIN_TOKEN: 'the-token' })
    expect(out).toContain('one is back in service')
    expect(out).toContain('two is not known to Plaid')
    expect(out).toMatch(/three failed: .* 503 plaid_unavailable/)
    expect(code).toBe(1)
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/v1/admin/items?status=relink_required&limit=100',
      'GET /api/v1/admin/items?status=relink_required&limit=100&cursor=next%20page',
      'POST /api/v1/admin/items/one/recheck',
      'POST /api/v1/admin/items/two/recheck',
      'POST /api/v1/admin/items/two/recheck',
      'POST /api/v1/admin/items/three/recheck',
    ])
    expect(new Set(server.asked.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer the-token']))
  })

  it('is misused without a token', async () => {
    expect(await recheck(['--url', server.url], {})).toMatchObject({
      code: 2,
      out: expect.stringContaining('ADMIN_TOKEN'),
    })
  })
})
