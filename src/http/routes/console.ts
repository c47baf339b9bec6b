// What the console's pages need besides the API: how people sign in here, and on a laptop a session of the demo user. Not a part
// of the API: the description lists neither.
import * as z from 'zod'
import type { Config } from '../../config/config.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { publicRoute } from '../route.ts'

const tags = ['console']
const demoSeconds = 3600

/** @throws AppError `not_found` where the deployment has no console */
export function consoleOf({ services: { config } }: Ctx): NonNullable<Config['console']> {
  if (config.console === null) throw noSuchPath()
  return config.console
}

export const noSuchPath = (): AppError => new AppError('not_found', 'There is no such path.')

export const consoleSettingsRoute = publicRoute({
  id: 'consoleSettings',
  method: 'GET',
  path: '/console/settings',
  summary: 'Get how people sign in to the console',
  tags,
  answers: {
    200: z.object({
      environment: z.enum(['development', 'staging', 'production']),
      sign_in: z.enum(['accounts', 'provider', 'none']),
      demo: z.boolean(),
      operator: z.boolean(),
      /** The page of the simulated bank, with `npm run dev` only. */
      bank_url: z.string().nullable(),
    }),
  },
  errors: ['not_found'],
}).handle((ctx) => {
  const { bankUrl, demoUser, demoOperator, provider } = consoleOf(ctx)
  const { environment, auth } = ctx.services.config
  const signIn = auth.mode === 'builtin' ? 'accounts' : provider === null ? 'none' : 'provider'
  const demo = { demo: demoUser !== null, operator: demoOperator !== null, bank_url: bankUrl }
  return Promise.resolve({ status: 200, body: { environment, sign_in: signIn, ...demo } })
})

export const pageHeaders = z.object({
  host: z.string().max(255).optional(),
  origin: z.string().max(400).optional(),
  'sec-fetch-site': z.string().max(40).optional(),
})

type PageHeaders = z.output<typeof pageHeaders>

const isSameOrigin = ({ 'sec-fetch-site': site }: PageHeaders): boolean => site === undefined || site === 'same-origin'

/** Whether the request comes from the console's own page. A page of an application, even a configured one, is another page. */
export function isOwnPage(ctx: Ctx, headers: PageHeaders): boolean {
  if (headers.origin === consoleOf(ctx).origin) return isSameOrigin(headers)
  return !ctx.services.config.strict && isOwnPageHere(headers)
}

/**
 * Whether the request comes from this machine's own console. A page of another origin may not start a session, and neither may
 * a page whose host name was pointed to this address.
 */
function isOwnPageHere(headers: PageHeaders): boolean {
  const { host, origin } = headers
  const url = URL.parse(origin ?? '')
  if (url === null || url.host !== host || !['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) return false
  return isSameOrigin(headers)
}

/** Without the strict limit of sign-ins: each load of a page starts a session, and only this machine's own console may. */
const demoRoute = {
  audit: { none: 'The person exists on a laptop only, and has no account.' },
  event: 'sign_in',
  method: 'POST',
  tags,
  headers: pageHeaders,
  answers: {
    200: z.object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() }),
  },
  errors: ['forbidden', 'not_found'],
} as const

type Role = 'user' | 'admin'

async function startDemo(ctx: Ctx, headers: z.output<typeof pageHeaders>, role: Role) {
  const { demoUser, demoOperator } = consoleOf(ctx)
  const { strict, secret } = ctx.services.config
  const subject = role === 'admin' ? demoOperator : demoUser
  if (subject === null || strict) throw noSuchPath()
  if (!isOwnPageHere(headers)) throw new AppError('forbidden', 'Only the console may do this.', { reason: 'origin' })
  // A deployment never signs one, and does not load the module.
  const { signDemoToken } = await import('../../auth/sign-access-token.ts')
  const token = await signDemoToken(secret, { subject, role }, demoSeconds, ctx.now())
  return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: demoSeconds } } as const
}

export const demoSessionRoute = publicRoute({
  ...demoRoute,
  id: 'demoSession',
  path: '/console/demo',
  summary: 'Continue as the demo user',
}).handle(async (ctx, { headers }) => await startDemo(ctx, headers, 'user'))

export const demoOperatorRoute = publicRoute({
  ...demoRoute,
  id: 'demoOperator',
  path: '/console/operator',
  summary: 'Continue as the demo operator',
}).handle(async (ctx, { headers }) => await startDemo(ctx, headers, 'admin'))

export const consoleRoutes = [consoleSettingsRoute, demoSessionRoute, demoOperatorRoute] as const
