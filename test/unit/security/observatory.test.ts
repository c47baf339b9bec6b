// Scores the responses' headers by the rules of MDN's HTTP Observatory (github.com/mdn/mdn-http-observatory,
// src/grader/charts.js, and "Tests & Scoring" on developer.mozilla.org/observatory), as the scanner would.
import { describe, expect, it } from 'vitest'
import { serveApp, productionVariables, servicesOf } from '../http/serve-app.ts'

const baseline = 100
/** Bonuses count from this score on. */
const leastForBonus = 90

type Verdict = readonly [rule: string, modifier: number]

const directives = (policy: string): ReadonlyMap<string, readonly string[]> =>
  new Map(
    policy.split(';').map((part) => {
      const [name = '', ...sources] = part.trim().toLowerCase().split(/\s+/)
      return [name, sources]
    }),
  )

function contentSecurityPolicy(headers: Headers): Verdict {
  const given = headers.get('content-security-policy')
  if (given === null) return ['csp-not-implemented', -25]
  const policy = directives(given)
  const sources = (name: string) => (policy.get(name) ?? policy.get('default-src') ?? ['*']).join(' ')
  const both = `${sources('script-src')} ${sources('object-src')}`
  if (/'unsafe-inline'|data:|\*|(?:^| )https?:(?: |$)/.test(both)) return ['csp-implemented-with-unsafe-inline', -20]
  if (/http:/.test(given)) return ['csp-implemented-with-insecure-scheme', -20]
  if (both.includes("'unsafe-eval'")) return ['csp-implemented-with-unsafe-eval', -10]
  if (/unsafe|data:/.test(sources('style-src'))) return ['csp-implemented-with-unsafe-inline-in-style-src-only', 0]
  const isNone = policy.get('default-src')?.join(' ') === "'none'"
  const formsStay = /^'(?:none|self)'$/.test(policy.get('form-action')?.join(' ') ?? '')
  return isNone && formsStay
    ? ['csp-implemented-with-no-unsafe-default-src-none', 10]
    : ['csp-implemented-with-no-unsafe', 5]
}

function strictTransportSecurity(headers: Headers): Verdict {
  const given = headers.get('strict-transport-security')
  if (given === null) return ['hsts-not-implemented', -20]
  const seconds = Number(/max-age=(\d+)/.exec(given)?.[1] ?? Number.NaN)
  if (Number.isNaN(seconds)) return ['hsts-header-invalid', -20]
  if (seconds < 15_768_000) return ['hsts-implemented-max-age-less-than-six-months', -10]
  // Five more points are for a domain on browsers' preload list, which no header can give.
  return ['hsts-implemented-max-age-at-least-six-months', 0]
}

function cookies(headers: Headers): Verdict {
  const set = headers.getSetCookie()
  if (set.length === 0) return ['cookies-not-found', 0]
  const have = (attribute: RegExp) => set.every((cookie) => attribute.test(cookie))
  if (!have(/; *secure/i)) return ['cookies-session-without-secure-flag', -40]
  if (!have(/; *httponly/i)) return ['cookies-session-without-httponly-flag', -30]
  if (have(/; *samesite=(?:strict|lax)/i)) return ['cookies-secure-with-httponly-sessions-and-samesite', 5]
  return ['cookies-secure-with-httponly-sessions', 0]
}

function referrerPolicy(headers: Headers): Verdict {
  const given = headers.get('referrer-policy')
  if (given === null) return ['referrer-policy-not-implemented', 0]
  const isPrivate = /^(?:no-referrer|same-origin|strict-origin|strict-origin-when-cross-origin)$/.test(given)
  return isPrivate ? ['referrer-policy-private', 5] : ['referrer-policy-unsafe', -5]
}

function frameOptions(headers: Headers): Verdict {
  const policy = directives(headers.get('content-security-policy') ?? '')
  if (policy.has('frame-ancestors')) return ['x-frame-options-implemented-via-csp', 5]
  if (/^(?:deny|sameorigin)$/i.test(headers.get('x-frame-options') ?? ''))
    return ['x-frame-options-sameorigin-or-deny', 0]
  return ['x-frame-options-not-implemented', -20]
}

function resourcePolicy(headers: Headers): Verdict {
  const given = headers.get('cross-origin-resource-policy')
  if (given === null) return ['corp-not-implemented', 0]
  return /^same-(?:origin|site)$/.test(given)
    ? ['corp-implemented-with-same-origin', 10]
    : ['corp-implemented-with-cross-origin', 0]
}

function contentTypeOptions(headers: Headers): Verdict {
  return headers.get('x-content-type-options') === 'nosniff'
    ? ['x-content-type-options-nosniff', 0]
    : ['x-content-type-options-not-implemented', -5]
}

/** The response to a request from another origin. */
function resourceSharing(headers: Headers): Verdict {
  const isOpen = headers.get('access-control-allow-origin') !== null && headers.has('access-control-allow-credentials')
  return isOpen
    ? ['cross-origin-resource-sharing-implemented-with-universal-access', -50]
    : ['cross-origin-resource-sharing-not-implemented', 0]
}

/**
 * A response that is not HTML loads no scripts, so there is nothing to check the integrity of. Only https is served.
 */
const neutral: readonly Verdict[] = [
  ['sri-not-implemented-response-not-html', 0],
  ['redirection-not-needed-no-http', 0],
]

const judges = [
  contentSecurityPolicy,
  strictTransportSecurity,
  cookies,
  referrerPolicy,
  frameOptions,
  resourcePolicy,
  contentTypeOptions,
  resourceSharing,
]

function score(headers: Headers): { score: number; rules: Record<string, number> } {
  const verdicts = [...judges.map((judge) => judge(headers)), ...neutral]
  const sum = (of: readonly Verdict[]) => of.reduce((total, [, modifier]) => total + modifier, 0)
  const withoutBonus = baseline + sum(verdicts.filter(([, modifier]) => modifier < 0))
  const total = withoutBonus < leastForBonus ? withoutBonus : baseline + sum(verdicts)
  return { score: Math.max(0, total), rules: Object.fromEntries(verdicts) }
}

const origin = 'https://evil.test'
const ask = (path: string) => serveApp(() => servicesOf(productionVariables)).ask(path, { headers: { origin } })

describe('the score of the HTTP Observatory', () => {
  it.each(['/', '/health', '/openapi.json', '/api/v1/accounts'])(
    'is the maximum that the published rules give an API in production',
    async (path) => {
      const { score: reached, rules } = score((await ask(path)).headers)
      expect(Object.values(rules).filter((modifier) => modifier < 0)).toEqual([])
      // 10 for the policy, 5 for the referrer, 5 for frames, 10 for the resource policy. The rules have 15 more points,
      // 145 in all: 5 for cookies, which these responses do not set, 5 for a domain on the preload list, 5 for the
      // integrity of scripts in pages.
      expect([reached, rules]).toEqual([130, rules])
    },
  )

  it.each([
    ['content-security-policy', 75],
    ['strict-transport-security', 80],
    ['referrer-policy', 125],
    ['x-content-type-options', 125],
    ['cross-origin-resource-policy', 120],
  ])('a response without %s scores %i', async (name, expected) => {
    const { headers } = await ask('/health')
    headers.delete(name)
    expect(score(headers).score).toBe(expected)
  })
})
