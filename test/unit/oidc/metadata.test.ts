// How often the provider's document is read.
import { describe, expect, it } from 'vitest'
import { document, issuer, json, scriptedProvider } from './scripted-provider.ts'

const times = <Result>(count: number, act: () => Promise<Result>) => Promise.all(Array.from({ length: count }, act))

describe("the provider's document", () => {
  it('is read once for ten requests at the same time, and once more when it is old', async () => {
    const scripted = await scriptedProvider()
    const { promise, resolve } = Promise.withResolvers<Response>()
    scripted.answers.document = () => promise
    const begun = times(10, () => scripted.begin())
    resolve(json(document))
    expect((await begun).map(({ location }) => location.origin)).toEqual(Array.from({ length: 10 }, () => issuer))
    expect(scripted.calls.length).toBe(1)
    scripted.answers.document = () => json(document)
    scripted.clock.nowMs += 600_000
    await times(10, () => scripted.begin())
    expect(scripted.calls.length).toBe(2)
  })

  it('is read again after a failure, which all requests at the same time share', async () => {
    const scripted = await scriptedProvider()
    scripted.answers.document = () => json({}, 503)
    const failed = await times(10, async () => await scripted.begin().then(null, (error: unknown) => String(error)))
    expect(new Set(failed)).toEqual(new Set(["SignInFailed: the provider's document cannot be read"]))
    expect(scripted.calls.length).toBe(1)
    scripted.answers.document = () => json(document)
    expect((await scripted.begin()).location.origin).toBe(issuer)
    expect(scripted.calls.length).toBe(2)
  })

  it('is read by the next request a second after the request that began to read it has ended without a result', async () => {
    const scripted = await scriptedProvider()
    const { promise: never, reject } = Promise.withResolvers<Response>()
    scripted.answers.document = () => never
    const lost = scripted.begin().catch(() => 'lost')
    scripted.answers.document = () => json(document)
    const startedMs = performance.now()
    const origins = (await times(10, () => scripted.begin())).map(({ location }) => location.origin)
    expect(origins).toEqual(Array.from({ length: 10 }, () => issuer))
    expect(performance.now() - startedMs).toBeLessThan(8000)
    // The late end of the first one ends no later read.
    reject(new Error('gone'))
    expect(await lost).not.toBe('lost')
    expect((await scripted.begin()).location.origin).toBe(issuer)
    expect(scripted.calls.length).toBe(2)
  })
})
