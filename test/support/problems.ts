// Problems in responses, checked with the API description.
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import * as z from 'zod'
import { readDescription } from './documented.ts'
import type { Answer } from './edge.ts'

const { schemas } = await readDescription()
const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema({ $id: 'api', components: { schemas } })
const isProblem = ajv.compile({ $ref: 'api#/components/schemas/Problem' })

/** The problem in a response. Fails if the response is not a problem. */
export function problemOf(answer: Answer): { detail: string; code: string; status: number } {
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  const body = answer.json()
  expect([isProblem(body), isProblem.errors]).toEqual([true, null])
  const problem = z
    .looseObject({ detail: z.string(), code: z.string(), status: z.int(), instance: z.string() })
    .parse(body)
  expect(problem.instance).toBe(`urn:uuid:${answer.headers.get('x-request-id')}`)
  expect(problem.status).toBe(answer.status)
  return problem
}
