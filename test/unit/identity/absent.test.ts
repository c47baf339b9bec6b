// A deployment with an OIDC issuer has no built-in accounts: its routes do not exist, and their modules are not loaded.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'

const run = promisify(execFile)
const reportSchema = z.object({ loaded: z.array(z.string()), statuses: z.record(z.string(), z.int()) })

async function reportOf(mode: 'oidc' | 'builtin'): Promise<z.infer<typeof reportSchema>> {
  const script = join(import.meta.dirname, 'loaded-modules.ts')
  const { stdout } = await run(process.execPath, [script, mode], { timeout: 20_000 })
  return reportSchema.parse(JSON.parse(stdout))
}

const ofAccounts = ({ loaded }: z.infer<typeof reportSchema>) =>
  loaded.filter((file) => file.startsWith('src/identity/') || file === 'src/auth/sign-access-token.ts')

describe('built-in accounts', () => {
  let oidc: z.infer<typeof reportSchema>
  let builtin: z.infer<typeof reportSchema>
  beforeAll(async () => {
    ;[oidc, builtin] = await Promise.all([reportOf('oidc'), reportOf('builtin')])
  })

  it('are not loaded where there is an issuer, and with the first request elsewhere', () => {
    expect(oidc.loaded).toContain('src/http/routes/auth/sign-in.ts')
    expect(ofAccounts(oidc)).toEqual([])
    expect(ofAccounts(builtin)).toContain('src/identity/login.ts')
  })

  it('do not exist with an issuer, for every method', () => {
    expect(Object.values(oidc.statuses)).toHaveLength(12)
    expect(new Set(Object.values(oidc.statuses))).toEqual(new Set([404]))
    expect(builtin.statuses).toMatchObject({
      'POST login': 503,
      'GET login': 405,
      'GET sessions': 401,
      'POST nothing': 404,
    })
  })
})
