import { describe, expect, it } from 'vitest'
import { parseOptions } from '../../../../src/cli/conformance/options.ts'
import { runPlaidSandbox } from '../../../../src/cli/conformance/plaid.ts'

const parse = (...args: string[]) => parseOptions(args, 'report.md')
// No assertion has this name, so no request would be sent even if the refusal were missing.
const choices = { slow: false, only: 'none', print: () => undefined, signal: new AbortController().signal }

describe('the options of the conformance kit', () => {
  it('name no real service unless a flag does', () => {
    expect(parse()).toMatchObject({ neon: null, plaidSandbox: false, tunnel: null, report: 'report.md' })
  })

  it.each([
    ['--plaid production', ['--plaid', 'production'], 'sandbox'],
    ['--neon without a login', ['--neon', 'postgres://host/db'], 'login'],
    ['--webhook-url without a port', ['--webhook-url', 'https://example.com/'], '--webhook-port'],
    ['--webhook-url over http', ['--webhook-url', 'http://example.com/', '--webhook-port', '9000'], 'https'],
  ])('refuse %s', (_, args, message) => {
    expect(() => parse(...args)).toThrow(message)
  })

  it('refuse the sandbox without keys, and with PLAID_ENV=production', async () => {
    const keys = { PLAID_CLIENT_ID: 'id', PLAID_SECRET: 'secret' }
    await expect(runPlaidSandbox({}, null, choices)).rejects.toThrow('PLAID_CLIENT_ID')
    await expect(runPlaidSandbox({ ...keys, PLAID_ENV: 'production' }, null, choices)).rejects.toThrow('PLAID_ENV')
  })
})
