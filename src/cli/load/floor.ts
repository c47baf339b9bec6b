// The minimum overhead of a Worker on a read: it sends the same requests to the Neon endpoint, and returns
// the text of the last response. It has no authentication, no driver and no rows.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { objectClasses } from '../../dev/lib/workerd-config.ts'

/** A request that the Worker sends. */
export interface Forwarded {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const floorVariables = (forwarded: readonly Forwarded[]): Record<string, string> => ({
  FORWARDED: JSON.stringify(forwarded),
})

/** The configuration of workerd names the classes of the Durable Objects, so the module must have them. */
const moduleText = (classes: readonly string[]): string => `
let forwarded
export default {
  async fetch(request, env) {
    forwarded ??= JSON.parse(env.FORWARDED)
    let text = ''
    for (const { url, ...init } of forwarded) {
      const response = await fetch(url, init)
      text = await response.text()
      if (!response.ok) return new Response(text, { status: response.status })
    }
    return new Response(text, { headers: { 'content-type': 'application/json' } })
  },
}
${classes.map((name) => `export class ${name} {}`).join('\n')}
`

/** Writes the module into the folder. Returns the file. */
export async function writeFloorModule(folder: string): Promise<string> {
  const file = join(folder, 'floor.js')
  await writeFile(file, moduleText(await objectClasses(projectFolder)))
  return file
}
