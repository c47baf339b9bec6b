// `npm run reference`: writes the API reference as a static page.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { referencePage } from './reference/page.ts'

const help = `npm run reference [-- --out DIR]

Writes the reference of the API as a static page, index.html and reference.css, from docs/openapi.json.
  --out DIR  where (dist/console/docs)`

const style = new URL('reference/reference.css', import.meta.url)

/** Writes the page and its style to the folder. */
export async function writeReference(folder: string): Promise<void> {
  const description: unknown = JSON.parse(await readFile(join(projectFolder, 'docs', 'openapi.json'), 'utf8'))
  const page = await referencePage(description)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'index.html'), page)
  await copyFile(style, join(folder, 'reference.css'))
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { out: { type: 'string' } } })
  const folder = values.out ?? join(projectFolder, 'dist', 'console', 'docs')
  await writeReference(folder)
  process.stdout.write(`The reference is in ${folder}.\n`)
}

if (import.meta.main) await runCommand(help, main)
