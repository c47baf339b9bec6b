// `npm run openapi`: writes the API's description, docs/openapi.json, from the table of routes. With --check, only
// reports whether the file is up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { describeApi } from '../http/openapi.ts'
import { everyRoute, routeTable } from '../http/routes.ts'
import { nullIfMissing } from '../dev/lib/missing.ts'

const documentFile = join(projectFolder, 'docs', 'openapi.json')

const help = `npm run openapi [-- --check]

Writes docs/openapi.json from the routes.
  --check  changes nothing and fails when the file is out of step`

const packageSchema = z.object({ version: z.string() })

/** The description's text as the file must contain it. */
export async function openapiText(): Promise<string> {
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')))
  return `${JSON.stringify(describeApi(everyRoute(routeTable(() => Promise.resolve({}))), version), null, 2)}\n`
}

const readDocument = (): Promise<string | null> => readFile(documentFile, 'utf8').catch(nullIfMissing)

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { check: { type: 'boolean', default: false } } })
  const text = await openapiText()
  if (!values.check) {
    await writeFile(documentFile, text)
    process.stdout.write('docs/openapi.json is written.\n')
    return
  }
  if ((await readDocument()) !== text)
    throw new Error('docs/openapi.json is out of step with the routes: run `npm run openapi` and commit it.')
  process.stdout.write('docs/openapi.json is in step with the routes.\n')
}

if (import.meta.main) await runCommand(help, main)
