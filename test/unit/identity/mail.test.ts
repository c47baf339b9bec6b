// E-mails are sent over HTTP, to a real server.
import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { type Mail, sendOverHttp, writeToLog } from '../../../src/identity/mail.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'

interface Got {
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function mailServer(status: number | ((key: string) => number) = 200): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      got.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) })
      const code = typeof status === 'number' ? status : status(request.headers.authorization ?? '')
      response.writeHead(code, { location: 'http://127.0.0.1:9/' }).end('canary of the mail server')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}/send`, got }
}

const code = 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567'
const to = 'ann@example.com'
const mails: readonly Mail[] = [
  { kind: 'verify_email', to, code },
  { kind: 'reset_password', to, code },
  { kind: 'address_in_use', to },
  { kind: 'no_account', to },
  { kind: 'password_changed', to, notice: true },
  { kind: 'password_reset', to, notice: true },
  { kind: 'totp_enabled', to, notice: true },
  { kind: 'totp_disabled', to, notice: true },
  { kind: 'recovery_code_used', to, notice: true },
]
const config = (url: string) => ({
  url,
  keys: ['key-of-the-mail-api'] as const,
  from: 'Wealth <accounts@example.com>',
  publicUrl: 'https://app.example.com/account?lang=en',
})
const log = createLogger({}, { sink: () => undefined })

describe('an e-mail over HTTP', () => {
  it.each(mails)('is sent once, with the key, to one address: $kind', async (mail) => {
    const { url, got } = await mailServer()
    await sendOverHttp(config(url), fetch)(mail, log)
    expect(got).toHaveLength(1)
    const [first] = got
    expect(first?.headers).toMatchObject({
      authorization: 'Bearer key-of-the-mail-api',
      'content-type': 'application/json',
      'user-agent': 'wealthnavigator-edge',
      'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    const common = { from: 'Wealth <accounts@example.com>', to, subject: expect.any(String), text: expect.any(String) }
    expect(first?.body).toEqual(common)
    expect(JSON.stringify(first?.body).includes(code)).toBe('code' in mail)
  })

  it('has its code behind the # of the link, where no server sees it', async () => {
    const { url, got } = await mailServer()
    for (const mail of mails) await sendOverHttp(config(url), fetch)(mail, log)
    const links = JSON.stringify(got).match(/https:\/\/[^\\\s"]+/g)
    expect(links).toEqual([
      `https://app.example.com/account?lang=en#verify-email=${code}`,
      `https://app.example.com/account?lang=en#reset-password=${code}`,
    ])
  })

  it.each([400, 401, 429, 500, 302])('counts as not sent after a %i', async (status) => {
    const { url } = await mailServer(status)
    const failure = await sendOverHttp(config(url), fetch)(mails[0] ?? { kind: 'no_account', to }, log).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(AppError)
    expect(failure).toMatchObject({ code: 'unavailable', reason: `the e-mail API answered ${status}` })
  })

  const rotating = (url: string) => ({ ...config(url), keys: ['the-new-key-here', 'the-former-key-here'] as const })
  const keysOf = (got: readonly Got[]) => got.map(({ headers }) => headers['authorization'])
  const mail: Mail = { kind: 'no_account', to }

  it.each([401, 403])(
    'is sent with the previous key of a rotation if the sender refuses the current one with %i',
    async (status) => {
      const { url, got } = await mailServer((key) => (key === 'Bearer the-former-key-here' ? 200 : status))
      const lines: string[] = []
      await sendOverHttp(rotating(url), fetch)(mail, createLogger({}, { sink: (line) => void lines.push(line) }))
      expect(keysOf(got)).toEqual(['Bearer the-new-key-here', 'Bearer the-former-key-here'])
      expect(new Set(got.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: 'email_key_refused', status }])
      expect(lines.join('')).not.toContain('key-here')
    },
  )

  it('is sent with the key that the sender accepted last, so that one e-mail takes no longer than another', async () => {
    let valid = 'Bearer the-former-key-here'
    const { url, got } = await mailServer((key) => (key === valid ? 200 : 403))
    const send = sendOverHttp(rotating(url), fetch)
    for (let sent = 0; sent < 2; sent += 1) await send(mail, log)
    valid = 'Bearer the-new-key-here'
    for (let sent = 0; sent < 2; sent += 1) await send(mail, log)
    const [current, former] = ['Bearer the-new-key-here', 'Bearer the-former-key-here']
    expect(keysOf(got)).toEqual([current, former, former, former, current, current])
  })

  it('is sent once during a rotation if the current key is accepted, or if another error occurs', async () => {
    const accepting = await mailServer()
    await sendOverHttp(rotating(accepting.url), fetch)(mail, log)
    expect(keysOf(accepting.got)).toEqual(['Bearer the-new-key-here'])
    const failing = await mailServer(500)
    await expect(sendOverHttp(rotating(failing.url), fetch)(mail, log)).rejects.toMatchObject({ code: 'unavailable' })
    expect(failing.got).toHaveLength(1)
  })

  it('counts as not sent if both keys of a rotation are refused', async () => {
    const { url, got } = await mailServer(401)
    await expect(sendOverHttp(rotating(url), fetch)(mail, log)).rejects.toMatchObject({
      reason: 'the e-mail API answered 401',
    })
    expect(got).toHaveLength(2)
  })

  it('counts as not sent when no server accepts it', async () => {
    await expect(
      sendOverHttp(config('http://127.0.0.1:9/'), fetch)({ kind: 'no_account', to }, log),
    ).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('an e-mail in development', () => {
  it('is a line in the log with its kind and code, without the address', async () => {
    const lines: string[] = []
    const logger = createLogger({}, { sink: (line) => lines.push(line) })
    for (const mail of mails) await writeToLog(mail, logger)
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'email_not_sent', mail: 'verify_email', mail_code: code },
      { event: 'email_not_sent', mail: 'reset_password', mail_code: code },
      { event: 'email_not_sent', mail: 'address_in_use' },
      { event: 'email_not_sent', mail: 'no_account' },
      { event: 'email_not_sent', mail: 'password_changed' },
      { event: 'email_not_sent', mail: 'password_reset' },
      { event: 'email_not_sent', mail: 'totp_enabled' },
      { event: 'email_not_sent', mail: 'totp_disabled' },
      { event: 'email_not_sent', mail: 'recovery_code_used' },
    ])
    expect(lines.join('')).not.toContain(to)
  })
})
