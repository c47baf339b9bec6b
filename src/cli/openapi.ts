// `npm run openapi`: writes the API's description, docs/openapi.json, from the table of routes, and the client's types,
// src/client/schema.ts, from the description. With --check, only reports whether the files are up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { describeApi } from '../http/openapi.ts'
import { everyRoute, routeTable } from '../http/routes.ts'
import { nullIfMissing } from '../dev/lib/missing.ts'
import { clientTypes } from './client/types.ts'

const help = `npm run openapi [-- --check]

Writes docs/openapi.json from the routes, and src/client/schema.ts, the types of the client, from it.
  --check  changes nothing and fails when a file is out of step`

const packageSchema = z.object({ version: z.string() })

/** The description's text as the file must contain it. */
export async function openapiText(): Promise<string> {
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')))
  return `${JSON.stringify(describeApi(everyRoute(routeTable(() => Promise.resolve({}))), version), null, 2)}\n`
}

/** The files that are written, with their texts. */
async function wantedFiles(): Promise<readonly (readonly [path: string, text: string])[]> {
  const text = await openapiText()
  return [
    ['docs/openapi.json', text],
    ['src/client/schema.ts', clientTypes(JSON.parse(text))],
  ]
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { check: { type: 'boolean', default: false } } })
  for (const [path, text] of await wantedFiles()) {
    const file = join(projectFolder, path)
    if (!values.check) {
      await writeFile(file, text)
      process.stdout.write(`${path} is written.\n`)
      continue
    }
    if ((await readFile(file, 'utf8').catch(nullIfMissing)) !== text)
      throw new Error(`${path} is out of step with the routes: run \`npm run openapi\` and commit it.`)
    process.stdout.write(`${path} is in step with the routes.\n`)
  }
}

if (import.meta.main) await runCommand(help, main)
