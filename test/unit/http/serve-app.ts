// The HTTP app of a deployment with real services, but with a database and a Plaid at ports where no server listens. A
// request that reaches either of them gets 503.
import { SignJWT } from 'jose'
import * as z from 'zod'
import { parseConfig } from '../../../src/config/config.ts'
import { createApp } from '../../../src/http/app.ts'
import { type Bindings, createServices } from '../../../src/services.ts'
import type { Services } from '../../../src/context.ts'
import { limiterObjectsInMemory } from '../plaid/store-in-memory.ts'
import { objectsInMemory } from '../ratelimit/objects-in-memory.ts'

const secretKey = 'a-secret-key-of-the-unit-tests-0123456789'

const closedPort = 'http://127.0.0.1:9'

export const developmentVariables = {
  ENVIRONMENT: 'development',
  PLAID_ENV: 'sandbox',
  PLAID_CLIENT_ID: 'client',
  PLAID_SECRET: 'plaid-secret-of-the-unit-tests',
  PLAID_BASE_URL: closedPort,
  PLAID_WEBHOOK_URL: `${closedPort}/api/v1/plaid/webhook`,
  PLAID_PRODUCTS: 'transactions',
  DATABASE_URL: 'postgres://wn_api:password-one@db.localtest.me/wn',
  DATABASE_JOBS_URL: 'postgres://wn_jobs:password-two@db.localtest.me/wn',
  DATABASE_IDENTITY_URL: 'postgres://wn_identity:password-three@db.localtest.me/wn',
  DATABASE_ENDPOINT: `${closedPort}/sql`,
  SECRET_KEY: secretKey,
  ENCRYPTION_KEY: Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString('base64'),
  CORS_ORIGINS: '["https://app.wealth.test","http://localhost:3000"]',
  SECURITY_CONTACT: 'mailto:security@example.com',
  APPLE_APP_IDS: 'ABCDE12345.com.example.app',
  ANDROID_PACKAGE_NAMES: 'com.example.app',
  ANDROID_CERT_FINGERPRINTS: Array.from({ length: 32 }, () => 'AB').join(':'),
  OPERATOR_NAME: 'Example Ltd.',
  OPERATOR_CONTACT: 'privacy@example.com',
}

export const productionVariables = {
  ...developmentVariables,
  ENVIRONMENT: 'production',
  PLAID_BASE_URL: '',
  PLAID_WEBHOOK_URL: 'https://api.wealth.test/api/v1/plaid/webhook',
  DATABASE_URL: `${developmentVariables.DATABASE_URL}?sslmode=require`,
  DATABASE_JOBS_URL: `${developmentVariables.DATABASE_JOBS_URL}?sslmode=require`,
  DATABASE_IDENTITY_URL: `${developmentVariables.DATABASE_IDENTITY_URL}?sslmode=require`,
  DATABASE_ENDPOINT: '',
  CORS_ORIGINS: '["https://app.wealth.test"]',
  AUDIT_KEY: Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index * 3)).toString('base64'),
  BACKUP_RECIPIENT: 'none',
  SENTRY_DSN: 'none',
  AUTH_EMAIL_URL: 'https://mail.example.com/send',
  AUTH_EMAIL_KEY: 'e-mail-key-of-the-unit-tests',
  AUTH_EMAIL_FROM: 'accounts@example.com',
  AUTH_PUBLIC_URL: 'https://app.wealth.test/account',
}

export function servicesOf(
  variables: Readonly<Record<string, string>> = developmentVariables,
  more: Partial<Bindings> = {},
): Services {
  const queue = { sendBatch: () => Promise.reject(new Error('There is no queue here.')) }
  const bindings = {
    ...variables,
    SYNC_QUEUE: queue,
    EVENTS_QUEUE: queue,
    RATE_LIMITER: objectsInMemory(),
    PLAID_QUOTA: limiterObjectsInMemory(),
    ...more,
  }
  return createServices(parseConfig(variables), bindings)
}

/** The same services, whose writes by jobs succeed and store nothing. */
export function withSilentJobs(services: Services): Services {
  const { connection } = services.jobs
  const silent = Object.assign(Object.create(connection), { batch: () => Promise.resolve([]) })
  return { ...services, jobs: { ...services.jobs, connection: silent } }
}

export interface ServedApp {
  ask(path: string, init?: RequestInit): Promise<Response>
  /** The same over plain http. */
  askPlainly(path: string, init?: RequestInit): Promise<Response>
  /** The same at another address. */
  askAt(url: string, init?: RequestInit): Promise<Response>
  /** The parsed log lines so far. */
  readonly lines: Record<string, unknown>[]
}

const lineSchema = z.record(z.string(), z.unknown())

/** @param make creates the services of an isolate; a request meets the error that it throws */
export function serveApp(make: () => Services = () => servicesOf()): ServedApp {
  const lines: Record<string, unknown>[] = []
  const sink = (line: string): number => lines.push(lineSchema.parse(JSON.parse(line)))
  const app = createApp({ servicesFor: make, log: { sink } })
  const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} }
  const askAt = async (url: string, init?: RequestInit): Promise<Response> =>
    app.fetch(new Request(url, init), {}, context)
  return {
    lines,
    ask: (path, init) => askAt(`https://api.wealth.test${path}`, init),
    askPlainly: (path, init) => askAt(`http://api.wealth.test${path}`, init),
    askAt,
  }
}

/** A user's token, signed like the deployment's own. */
export function tokenFor(subject: string, key = secretKey): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('wealthnavigator-edge')
    .setSubject(subject)
    .setExpirationTime('5 minutes')
    .sign(new TextEncoder().encode(key))
}

/** Headers of a user's request with a JSON body. */
export async function asUser(subject = 'alice'): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await tokenFor(subject)}`, 'content-type': 'application/json' }
}

export const problemShape = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  instance: z.string(),
  code: z.string(),
  errors: z
    .array(z.strictObject({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }))
    .optional(),
})

/** The problem in a response. Throws when the response does not have a problem's content type and status. */
export async function problemOf(response: Response): Promise<z.infer<typeof problemShape>> {
  const problem = problemShape.parse(await response.json())
  if (response.headers.get('content-type') !== 'application/problem+json') throw new Error('The answer is no problem.')
  if (problem.status !== response.status) throw new Error('The problem names another status than the answer.')
  return problem
}

/** A path that fits a route's pattern. */
export function pathOf(pattern: string): string {
  return pattern.replaceAll(/\{\w+\}/g, '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11')
}
