// Defines one endpoint of Plaid's API: its path, its fields and its handler. Has the checks that all endpoints share.
import * as z from 'zod'
import type { Product } from '../bank/institutions.ts'
import { failure, isErrorCode, type PlaidFailure } from '../lib/failure.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'

export interface Endpoint {
  readonly path: string
  /** Checks the body and runs the handler. Fails with a PlaidFailure. Returns the response without its request id. */
  run(world: World, body: Record<string, unknown>): Promise<Answered>
}

type Answer = Record<string, unknown>

export interface Answered {
  readonly status: number
  readonly body: Answer
}

type BodyOf<Fields extends z.ZodRawShape> = z.infer<z.ZodObject<Fields, z.core.$strict>>

/**
 * `fields` excludes the credentials; any other field is an error, as at Plaid. `statusOf` runs before `handle` changes
 * the world.
 */
export function endpoint<Fields extends z.ZodRawShape>(
  path: string,
  fields: Fields,
  handle: (world: World, body: BodyOf<Fields>) => Answer | Promise<Answer>,
  statusOf: (world: World, body: BodyOf<Fields>) => number = () => 200,
): Endpoint {
  const shape = z.strictObject(fields)
  return {
    path,
    async run(world, body) {
      const { client_id: _id, secret: _secret, ...rest } = body
      const parsed = shape.safeParse(rest)
      if (!parsed.success) throw invalid(parsed.error, rest)
      const status = statusOf(world, parsed.data)
      return { status, body: await handle(world, parsed.data) }
    },
  }
}

/** The first error in Plaid's order: unknown fields, missing fields, wrong values. */
function invalid({ issues }: z.ZodError, body: unknown): PlaidFailure {
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []))
  if (unknown.length > 0) return failure('UNKNOWN_FIELDS', `unknown fields: ${unknown.join(', ')}`)
  const missing = issues.filter((issue) => valueAt(body, issue.path) === undefined).map(({ path }) => path.join('.'))
  if (missing.length > 0) return failure('MISSING_FIELDS', `missing fields: ${missing.join(', ')}`)
  const first = issues[0]
  return failure('INVALID_FIELD', first === undefined ? undefined : `${first.path.join('.')}: ${first.message}`)
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  )
}

export const accessToken = z.string().min(1)
export const day = z.iso.date()
export const accountOptions = z.strictObject({ account_ids: z.array(z.string()).optional() }).optional()

/**
 * The item of a token. Fails with INVALID_ACCESS_TOKEN for an unknown token and with ITEM_NOT_FOUND for a removed item.
 */
export function itemOf(world: World, token: string): Item {
  const item = world.items.get(itemIdOf(world, token) ?? '')
  if (item === undefined) throw failure('INVALID_ACCESS_TOKEN', refusalOf(token))
  if (item.status === 'removed' || item.status === 'revoked') throw failure('ITEM_NOT_FOUND')
  return item
}

/** The item id of a token that this client may use; null for a token of another environment or team. */
export function itemIdOf({ accessTokens, client }: World, token: string): string | null {
  return client.foreignTokens ? null : (accessTokens.get(token) ?? null)
}

function refusalOf(token: string): string | undefined {
  const [, environment] = /^access-([a-z]+)-/.exec(token) ?? []
  if (environment === undefined || environment === 'sandbox') return undefined
  return `the access token is for another environment: expected "sandbox", got "${environment}"`
}

/** The item of a token, if its data can be read now. Otherwise also fails with the item's error. */
export function readableItem(world: World, token: string): Item {
  const item = itemOf(world, token)
  const code = item.error?.error_code
  if (code !== undefined) throw failure(isErrorCode(code) ? code : 'ITEM_LOGIN_REQUIRED')
  return item
}

/**
 * Adds the product to the item, which starts its billing. Fails with PRODUCTS_NOT_SUPPORTED, or with the error of an
 * absent product.
 */
export function useProduct(item: Item, product: Product): void {
  const absence = item.absent.get(product)
  if (absence !== undefined) throw failure(absence)
  if (!item.institution.products.includes(product)) throw failure('PRODUCTS_NOT_SUPPORTED')
  if (!item.products.includes(product)) item.products.push(product)
}
