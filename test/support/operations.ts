// The operations of the API description, with their inputs and responses, and validators for both.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as formats from 'ajv-formats'
import * as z from 'zod'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const schemaSchema = z.record(z.string(), z.unknown())
export type Schema = z.infer<typeof schemaSchema>

const contentSchema = z.record(z.string(), z.object({ schema: schemaSchema }))
const parameterSchema = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  schema: schemaSchema,
})
const operationSchema = z.object({
  security: z.array(z.unknown()).default([]),
  parameters: z.array(parameterSchema).default([]),
  requestBody: z.object({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.object({ content: contentSchema.default({}) })),
})
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), schemaSchema) }),
})

export type Parameter = z.infer<typeof parameterSchema>

export interface Operation {
  /** For example `GET /health`. */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly isPrivate: boolean
  readonly parameters: readonly Parameter[]
  readonly body: Schema | null
  /** Schemas by status and media type. A response without a body has no media type. */
  readonly responses: ReadonlyMap<number, ReadonlyMap<string, Schema>>
}

export interface ApiDescription {
  readonly operations: readonly Operation[]
  /** Resolves a reference; returns any other schema unchanged. */
  resolve(schema: Schema): Schema
  /** The first rule that the value breaks; null when it is valid. */
  violation(schema: Schema, value: unknown): string | null
}

export async function readOperations(): Promise<ApiDescription> {
  const file = join(projectFolder, 'docs', 'openapi.json')
  const { paths, components } = documentSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  const ajv = new Ajv2020({ strict: false, allErrors: false })
  formats.default.default(ajv)
  ajv.addSchema({ $id: 'api', components })
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>()
  const violation: ApiDescription['violation'] = (schema, value) => {
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/')
    const validate = compiled.get(text) ?? ajv.compile(schemaSchema.parse(JSON.parse(text)))
    compiled.set(text, validate)
    return validate(value) ? null : ajv.errorsText(validate.errors)
  }
  const resolve = (schema: Schema): Schema => {
    const reference = schema['$ref']
    const name = typeof reference === 'string' ? reference.replace('#/components/schemas/', '') : ''
    const { $ref: _, ...beside } = schema
    return name === '' ? schema : { ...components.schemas[name], ...beside }
  }
  const operations = Object.entries(paths).flatMap(([path, ofPath]) =>
    Object.entries(ofPath).map(([verb, { security, parameters, requestBody, responses }]): Operation => {
      const method = verb.toUpperCase()
      const answers = Object.entries(responses).map(([status, { content }]) => {
        const schemas = Object.entries(content).map(([mediaType, { schema }]) => [mediaType, schema] as const)
        return [Number(status), new Map(schemas)] as const
      })
      const body = requestBody?.content['application/json']?.schema ?? null
      const isPrivate = security.length > 0
      return { name: `${method} ${path}`, method, path, isPrivate, parameters, body, responses: new Map(answers) }
    }),
  )
  return { operations, resolve, violation }
}
