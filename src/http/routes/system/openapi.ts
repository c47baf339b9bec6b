// Serves the committed API description; nothing is generated at run time.
import * as z from 'zod'
import { publicRoute, type Route } from '../../route.ts'

/** @param load reads the committed description on the first request, because it is large */
export function openapiRoute(load: () => Promise<Record<string, unknown>>): Route {
  return publicRoute({
    id: 'openapi',
    method: 'GET',
    path: '/openapi.json',
    summary: 'Get the API description',
    tags: ['meta'],
    answers: { 200: z.looseObject({}).meta({ id: 'OpenApi', description: 'An OpenAPI 3.1 document.' }) },
    errors: [],
    cacheControl: 'public, max-age=300',
  }).handle(async () => ({ status: 200, body: await load() }))
}
