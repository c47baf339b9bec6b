// The routes of the API description. Tests over all routes take them from here, so a new route fails until it has its
// tests.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        security: z.array(z.unknown()).optional(),
        parameters: z.array(z.object({ name: z.string(), in: z.string() })).optional(),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
})

export interface DocumentedRoute {
  readonly method: string
  readonly path: string
  /** For example `GET /health`. */
  readonly name: string
  /** Whether the route needs a token. */
  readonly isPrivate: boolean
  /** The names of its query parameters. */
  readonly parameters: readonly string[]
}

export interface Description {
  readonly routes: readonly DocumentedRoute[]
  readonly schemas: Readonly<Record<string, unknown>>
}

export async function readDescription(): Promise<Description> {
  const file = join(projectFolder, 'docs', 'openapi.json')
  const { paths, components } = documentSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([operation, { security = [], parameters = [] }]) => {
      const method = operation.toUpperCase()
      const queryNames = parameters.filter((each) => each.in === 'query').map(({ name }) => name)
      return { method, path, name: `${method} ${path}`, isPrivate: security.length > 0, parameters: queryNames }
    }),
  )
  return { routes, schemas: components.schemas }
}

/** The path with random ids in place of its parameters. */
export const pathWithRandomIds = (path: string): string => path.replaceAll(/\{\w+\}/g, randomUUID())
