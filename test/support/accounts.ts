// Built-in accounts for tests: the real use cases and a real database. Password hashes are cheap and counted, e-mails
// are kept in a list, and round trips to the database are counted. Runs in workerd and in Node.
import { verifyAccessToken } from '../../src/auth/access-token.ts'
import { parseConfig } from '../../src/config/config.ts'
import type { Ctx, User } from '../../src/context.ts'
import { AppError } from '../../src/errors.ts'
import { login } from '../../src/identity/login.ts'
import type { Mail } from '../../src/identity/mail.ts'
import { createPasswordHasher } from '../../src/identity/password.ts'
import { register } from '../../src/identity/register.ts'
import { type Scrypt, scrypt } from '../../src/identity/scrypt.ts'
import type { SessionGrant, SignedIn } from '../../src/identity/session.ts'
import { confirmTotp, enrollTotp } from '../../src/identity/manage-totp.ts'
import { verifyEmail } from '../../src/identity/verify-email.ts'
import { stepAt, totpCode } from '../../src/identity/totp.ts'
import { createLogger } from '../../src/monitoring/logger.ts'
import { createServices } from '../../src/services.ts'
import type { Services } from '../../src/context.ts'
import { workerVariables } from './bindings.ts'
import { query } from './sql.ts'
import { connectStack, type Stack, type TestDatabase } from './stack.ts'

/** The same algorithm with low costs. */
const testCost = { logN: 4, r: 8, p: 1 }

export const goodPassword = 'a long enough password'

/** The default network of a client. */
const ownNetwork = '192.0.2.0/24'

/** Where a sign-in comes from. */
export interface Client {
  readonly network?: string
  readonly deviceToken?: string | null
}

export interface Accounts {
  readonly stack: Stack
  readonly database: TestDatabase
  readonly services: Services
  /** Without a user, at the time of the test's clock. */
  readonly ctx: Ctx
  readonly mails: Mail[]
  readonly lines: string[]
  /** Moves the clock of the use cases, not the database's. */
  advance(seconds: number): void
  /** Moves everything in the database so many seconds into the past. */
  age(seconds: number): Promise<void>
  /** Hashes and round trips that `work` costs, and the code of the error that it ends with, if any. */
  cost(work: () => Promise<unknown>): Promise<{ hashes: number; trips: number; code: string | null }>
  /** The context of a client with this session's access token. */
  as(grant: SessionGrant): Promise<Ctx<User>>
  /** The code in the newest e-mail to this address. */
  mailedCode(to: string): string
  /** Registers from a new network, verifies the address, and signs in. */
  signUp(email: string, password?: string): Promise<SignedIn>
  signIn(email: string, password?: string, code?: string | null, client?: Client): Promise<SignedIn>
  /** Enrolls and confirms a second factor. The clock then stands at the next unused time step. */
  addTotp(grant: SessionGrant, password?: string): Promise<{ code: () => string; recoveryCodes: string[] }>
  sql(text: string, params?: readonly unknown[]): Promise<Record<string, string | null>[]>
  stop(): Promise<void>
}

/** Returns the code of the error that `work` ends with. Rejects when there was no error, or one without a code. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
  throw new Error('nothing was refused')
}

/** A client by its network. */
export const clientOf = (network: string): NonNullable<Ctx['client']> => ({ object: network, place: network, network })

/** Bytes of base32 text, as an authenticator reads it. */
export function fromBase32(text: string): Uint8Array<ArrayBuffer> {
  const bits = Array.from(text, (character) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0'),
  ).join('')
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2))
}

const timeColumns = [
  ['registrations', 'expires_at'],
  ['password_resets', 'expires_at'],
  ['throttles', 'expires_at'],
  ['sessions', 'created_at', 'last_used_at', 'rotated_at', 'idle_expires_at', 'expires_at'],
] as const

export async function createAccounts(control: string): Promise<Accounts> {
  const stack = connectStack(control)
  const database = await stack.createDatabase()
  const config = parseConfig({ ...workerVariables(database), RATE_LIMIT_ENABLED: 'false' })
  const given = createServices(config, { SYNC_QUEUE: { sendBatch: () => Promise.resolve() } })
  const mails: Mail[] = []
  const lines: string[] = []
  let hashes = 0
  let trips = 0
  let signUps = 0
  let offsetMs = 0
  const counting: Scrypt = (...parameters) => {
    hashes += 1
    return scrypt(...parameters)
  }
  const services: Services = {
    ...given,
    identity: async () => {
      const identity = await given.identity?.()
      if (identity === undefined) throw new Error('Accounts are not built in.')
      const passwords = createPasswordHasher(counting, testCost)
      const { connection } = identity.database
      const batch: typeof connection.batch = (statements) => {
        trips += 1
        return connection.batch(statements)
      }
      const counted = { ...identity.database, connection: Object.assign(Object.create(connection), { batch }) }
      return { ...identity, database: counted, passwords, sendMail: (mail) => Promise.resolve(void mails.push(mail)) }
    },
  }
  const now = () => new Date(Date.now() + offsetMs)
  const log = createLogger({}, { sink: (line) => lines.push(line), redactText: services.redact, minimumLevel: 'debug' })
  const ctx: Ctx = {
    services,
    actor: { kind: 'anonymous' },
    requestId: crypto.randomUUID(),
    client: clientOf(ownNetwork),
    now,
    log,
  }
  const sql: Accounts['sql'] = (text, params = []) => query(database.endpoint, database.ownerUrl, text, params)

  const as: Accounts['as'] = async ({ accessToken }) => {
    const { issuer, subject, role, scopes, sessionId } = await verifyAccessToken(accessToken, services.auth, now())
    const session = sessionId === undefined ? {} : { sessionId }
    return { ...ctx, actor: { kind: 'user', identity: { issuer, subject }, role, scopes, ...session } }
  }
  const mailedCode = (to: string): string => {
    const mail = mails.findLast((one) => one.to === to)
    if (mail === undefined || !('code' in mail)) throw new Error(`no code was mailed to ${to}`)
    return mail.code
  }
  return {
    stack,
    database,
    services,
    ctx,
    mails,
    lines,
    advance: (seconds) => void (offsetMs += seconds * 1000),
    async age(seconds) {
      for (const [table, ...columns] of timeColumns)
        await sql(
          `update identity.${table} set ${columns.map((name) => `${name} = ${name} - interval '${seconds} s'`).join(', ')}`,
        )
      await sql(
        `update identity.throttles set taken_at = array(select t - interval '${seconds} s' from unnest(taken_at) t)`,
      )
    },
    async cost(work) {
      const before = { hashes, trips }
      const code = await work().then(
        () => null,
        (error: unknown) => {
          if (error instanceof AppError) return error.code
          throw error
        },
      )
      return { hashes: hashes - before.hashes, trips: trips - before.trips, code }
    },
    as,
    mailedCode,
    async signUp(email, password = goodPassword) {
      signUps += 1
      await register({ ...ctx, client: clientOf(`signing-up-${signUps}`) }, { email, password })
      return await verifyEmail(ctx, { code: mailedCode(email), password })
    },
    signIn: (email, password = goodPassword, code = null, { network = ownNetwork, deviceToken = null } = {}) =>
      login({ ...ctx, client: clientOf(network) }, { email, password, code, scope: 'full', deviceToken }),
    async addTotp(grant, password = goodPassword) {
      const user = await as(grant)
      const { secret } = await enrollTotp(user, password)
      const code = () => totpCode(fromBase32(secret), stepAt(now()))
      const { recoveryCodes } = await confirmTotp(user, code())
      offsetMs += 30_000
      return { code, recoveryCodes }
    },
    sql,
    stop: () => stack.dropDatabase(database.name),
  }
}
