import { describe, expect, test, vi } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { createLogger, type LoggerOptions, type LogFields, type LogLevel } from '../../../src/monitoring/logger.ts'
import { password, quotingCauses, secrets } from './secrets.ts'

function collect(base: LogFields = {}, options: LoggerOptions = {}) {
  const lines: { line: string; level: LogLevel }[] = []
  const sink = (line: string, level: LogLevel): void => void lines.push({ line, level })
  const log = createLogger(base, { sink, clock: () => 0, ...options })
  return { log, lines, text: () => lines.map(({ line }) => line).join('\n') }
}

describe('the logger', () => {
  test('writes one JSON line an event with its base fields', () => {
    const { log, lines } = collect({ request_id: 'r1' })
    log.info('request', { route: 'GET /items', status: 200, replay: false, reason: 'two\nlines' })
    log.child({ user_id: 'u1' }).error('failed', { status: 500 })
    expect(lines).toEqual([
      {
        level: 'info',
        line: '{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"request","request_id":"r1","route":"GET /items","status":200,"replay":false,"reason":"two\\nlines"}',
      },
      {
        level: 'error',
        line: '{"time":"1970-01-01T00:00:00.000Z","level":"error","event":"failed","request_id":"r1","user_id":"u1","status":500}',
      },
    ])
  })

  test('names each event that is written, also those of its children, and none below its level', () => {
    const events: string[] = []
    const { log } = collect({}, { onEvent: (event) => events.push(event) })
    log.error('dead_letter')
    log.child({ user_id: 'u1' }).warn('mail_withheld')
    log.debug('not_written')
    expect(events).toEqual(['dead_letter', 'mail_withheld'])
  })

  test('drops what is below its level', () => {
    const { log, lines } = collect({}, { minimumLevel: 'warn' })
    log.debug('a')
    log.info('b')
    log.warn('c')
    expect(lines.length).toBe(1)
  })

  test('drops fields that are not on the list or of another type, and says how many', () => {
    const { log, text } = collect()
    const loose: Record<string, unknown> = {
      amount: '12.50',
      body: { a: 1 },
      status: 'x',
      user_id: { id: 1 },
      code: 'ok',
    }
    log.info('event', loose)
    expect(JSON.parse(text())).toEqual({
      time: expect.any(String),
      level: 'info',
      event: 'event',
      code: 'ok',
      dropped_fields: 4,
    })
  })

  test('writes to the console at its level by default', () => {
    const spy = vi.spyOn(console, 'warn').mockImplementation(() => {})
    createLogger({}, { clock: () => 0 }).warn('event')
    expect(spy.mock.calls).toEqual([['{"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"event"}']])
    spy.mockRestore()
  })

  test('describes errors by name, code, reason and causes, five deep', () => {
    const { log, text } = collect()
    let error: Error = new AppError('internal', 'shown', { reason: 'why' })
    for (let depth = 0; depth < 10; depth += 1) error = new Error(`level ${depth}`, { cause: error })
    log.error('failed', { error: new AppError('unavailable', 'outer', { reason: 'outer reason', cause: error }) })
    expect(JSON.parse(text())).toMatchObject({
      error: {
        name: 'AppError',
        code: 'unavailable',
        message: 'outer',
        reason: 'outer reason',
        cause: { message: 'level 9' },
      },
    })
    expect(text()).toContain('level 5')
    expect(text()).not.toContain('level 4')
  })

  test.each([undefined, null, 'text', 7, { password }, Symbol('x'), Object.create(null), () => password])(
    'describes a thrown %o without its content',
    (thrown) => {
      const { log, text } = collect()
      log.error('failed', { error: thrown })
      expect(text()).not.toContain(password)
    },
  )

  test.each(Object.entries(secrets))('lets no secret out by any path: %s', (_kind, secret) => {
    const { log, text } = collect({ reason: secret })
    const cause = Object.assign(new Error(`cause ${secret}`), {
      code: secret,
      config: { headers: { 'PLAID-SECRET': secret } },
      request: secret,
    })
    const error = new AppError('internal', `detail ${secret}`, {
      reason: `reason ${secret}`,
      cause,
      extensions: { secret },
    })
    error.stack = `AppError: ${secret}\n    at ${secret} (file.ts:1:1)`
    const aggregate = new AggregateError([error], secret, { cause: error })
    aggregate.name = secret
    log.error(`event ${secret}`, { error, user_id: secret, route: `/x?access_token=${secret}` })
    log.warn('event', { error: aggregate })
    log.child({ code: secret }).info('event', { error: secret })
    const loose: Record<string, unknown> = { headers: { authorization: secret }, [secret]: secret }
    log.info('event', loose)
    expect(text()).not.toContain(secret)
  })

  test('carries nothing of what a parser quotes', () => {
    const { log, text } = collect()
    for (const cause of quotingCauses()) log.error('failed', { error: new AppError('internal', 'outer', { cause }) })
    expect(text()).toContain('[withheld]')
    expect(text()).not.toContain('Jane')
  })

  test('lets no configured password out', () => {
    const { log, text } = collect()
    log.error('failed', { error: new Error(`connect postgres://wn_api:${password}@host/db`) })
    expect(text()).not.toContain(password)
  })
})
