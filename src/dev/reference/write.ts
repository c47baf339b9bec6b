// Writes the reference into the folder of the console's pages.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { referencePage } from './page.ts'

const styleFile = new URL('reference.css', import.meta.url)
const iconFile = new URL('../../console/icon.svg', import.meta.url)
const descriptionFile = new URL('../../../docs/openapi.json', import.meta.url)

/** Writes a file whose name changes with its content. Returns its path on the host. */
async function writeAsset(folder: string, file: URL, [name, extension]: readonly [string, string]): Promise<string> {
  const content = await readFile(file)
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 8)
  const path = `assets/${name}-${hash}.${extension}`
  await writeFile(join(folder, path), content)
  return `/${path}`
}

/** Writes `docs.html`, which the Worker serves at /docs, with its style sheet and its icon. */
export async function writeReference(folder: string): Promise<void> {
  await mkdir(join(folder, 'assets'), { recursive: true })
  const style = await writeAsset(folder, styleFile, ['reference', 'css'])
  const icon = await writeAsset(folder, iconFile, ['reference', 'svg'])
  const description: unknown = JSON.parse(await readFile(descriptionFile, 'utf8'))
  await writeFile(join(folder, 'docs.html'), await referencePage(description, { style, icon }))
}
