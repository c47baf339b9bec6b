// `npm run data-map`: writes docs/data-map.md from the schema and its purposes, or checks that it is in step with them.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { needless, renderDataMap } from './data-map/render.ts'

const help = `npm run data-map             writes docs/data-map.md
npm run data-map -- --check  fails where it differs from the schema, the retention policy and the purposes`

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { check: { type: 'boolean', default: false } } })
  const unused = needless()
  if (unused.length > 0)
    throw new Error(`src/cli/data-map/purposes.ts describes what is not stored: ${unused.join(', ')}.`)
  const text = renderDataMap()
  const file = join(projectFolder, 'docs/data-map.md')
  if (!values.check) {
    await writeFile(file, text)
    process.stdout.write('docs/data-map.md is written.\n')
    return
  }
  if ((await readFile(file, 'utf8').catch(() => '')) !== text)
    throw new Error('docs/data-map.md is not in step: run `npm run data-map`.')
  process.stdout.write('docs/data-map.md is in step.\n')
}

if (import.meta.main) await runCommand(help, main)
