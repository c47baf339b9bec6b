// /institutions/*: the institutions that can be linked.
import * as z from 'zod'
import { type Institution, institutionById, institutions, productNames } from '../bank/institutions.ts'
import { whole } from '../lib/exact-json.ts'
import { failure } from '../lib/failure.ts'
import type { World } from '../state/world.ts'
import { endpoint } from './endpoint.ts'

const countries = z.array(z.string().length(2)).min(1)
const products = z.array(z.enum(productNames)).min(1).nullish()

const metadata = {
  include_optional_metadata: z.boolean().optional(),
  include_status: z.boolean().optional(),
  include_auth_metadata: z.boolean().nullish(),
  include_payment_initiation_metadata: z.boolean().nullish(),
}

const get = endpoint(
  '/institutions/get',
  {
    count: whole(1, 500),
    offset: whole(0, Number.MAX_SAFE_INTEGER),
    country_codes: countries,
    options: z
      .strictObject({
        ...metadata,
        products,
        routing_numbers: z.array(z.string()).nullish(),
        oauth: z.boolean().nullish(),
      })
      .optional(),
  },
  (world, body) => {
    const { options } = body
    const found = inCountries(body.country_codes).filter(
      (institution) =>
        offers(institution, options?.products) &&
        (options?.oauth ?? institution.oauth) === institution.oauth &&
        (options?.routing_numbers?.some((number) => institution.routingNumbers.includes(number)) ?? true),
    )
    const page = found.slice(body.offset, body.offset + body.count)
    return { institutions: page.map((institution) => view(world, institution, options)), total: found.length }
  },
)

const getById = endpoint(
  '/institutions/get_by_id',
  { institution_id: z.string().min(1), country_codes: countries, options: z.strictObject(metadata).optional() },
  (world, body) => {
    const institution = institutionById(body.institution_id)
    if (institution === null || !inCountries(body.country_codes).includes(institution))
      throw failure('INVALID_INSTITUTION')
    return { institution: view(world, institution, body.options) }
  },
)

const search = endpoint(
  '/institutions/search',
  {
    query: z.string().min(1),
    products,
    country_codes: countries,
    options: z
      .strictObject({ ...metadata, oauth: z.boolean().nullish(), payment_initiation: z.unknown().optional() })
      .optional(),
  },
  (world, body) => {
    const words = body.query.toLowerCase()
    const found = inCountries(body.country_codes).filter(
      (institution) =>
        institution.name.toLowerCase().includes(words) &&
        offers(institution, body.products) &&
        (body.options?.oauth ?? institution.oauth) === institution.oauth,
    )
    return { institutions: found.slice(0, 10).map((institution) => view(world, institution, body.options)) }
  },
)

function inCountries(codes: readonly string[]): readonly Institution[] {
  return codes.includes('US') ? institutions : []
}

function offers(institution: Institution, wanted: readonly string[] | null | undefined): boolean {
  const offered: readonly string[] = institution.products
  return wanted?.every((product) => offered.includes(product)) ?? true
}

function view(
  world: World,
  institution: Institution,
  options: { include_status?: boolean | undefined; include_optional_metadata?: boolean | undefined } | undefined,
) {
  return {
    institution_id: institution.id,
    name: institution.name,
    products: institution.products,
    country_codes: ['US'],
    routing_numbers: institution.routingNumbers,
    dtc_numbers: [],
    oauth: institution.oauth,
    ...(options?.include_optional_metadata === true && { url: institution.url, primary_color: '#2b5876', logo: null }),
    ...(options?.include_status === true && { status: statusOf(world, institution) }),
  }
}

function statusOf(world: World, { products: offered }: Institution) {
  const healthy = {
    status: 'HEALTHY',
    last_status_change: world.clock.timestamp(),
    breakdown: { success: 0.98, error_plaid: 0.01, error_institution: 0.01 },
  }
  const updates = { ...healthy, breakdown: { ...healthy.breakdown, refresh_interval: 'NORMAL' } }
  return {
    item_logins: healthy,
    ...(offered.includes('transactions') && { transactions_updates: updates }),
    ...(offered.includes('auth') && { auth: healthy }),
    ...(offered.includes('identity') && { identity: healthy }),
    ...(offered.includes('investments') && { investments: healthy, investments_updates: updates }),
    ...(offered.includes('liabilities') && { liabilities: healthy, liabilities_updates: updates }),
    health_incidents: null,
  }
}

export const institutionEndpoints = [get, getById, search]
