// `npm run sbom`: prints a CycloneDX bill of materials of what the Worker ships.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import * as z from 'zod'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { type Packages, packagesSchema, shippedPaths } from './lib/lock-file.ts'

const help = `npm run sbom

Prints a CycloneDX bill of materials, in JSON, of the packages that the Worker ships.`

const run = promisify(execFile)

const billSchema = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ name: z.string() }) }),
  components: z.array(z.looseObject({ 'bom-ref': z.string() })),
  dependencies: z.array(z.looseObject({ ref: z.string() })),
})
export type Bill = z.infer<typeof billSchema>

const versioned = z.looseObject({ version: z.string() })

/**
 * npm's bill of all locked packages, without those that the Worker does not ship. `npm sbom --omit dev` would leave out
 * hono, because a development package also depends on it.
 */
export function shippedBill(bill: Bill, packages: Packages, name: string): Bill {
  const refs = new Set(
    [...shippedPaths(packages)].map(
      (path) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${versioned.parse(packages[path]).version}`,
    ),
  )
  const { metadata, components, dependencies } = bill
  const own = z.string().parse(metadata.component['bom-ref'])
  return {
    ...bill,
    // npm uses the folder's name.
    metadata: { ...metadata, component: { ...metadata.component, name } },
    components: components.filter((component) => refs.has(component['bom-ref'])),
    dependencies: dependencies
      .filter(({ ref }) => ref === own || refs.has(ref))
      .map(({ dependsOn, ...rest }) => ({
        ...rest,
        dependsOn: z
          .array(z.string())
          .default([])
          .parse(dependsOn)
          .filter((ref) => refs.has(ref)),
      })),
  }
}

const lockSchema = z.object({ name: z.string(), packages: packagesSchema })

/** The bill of materials of the locked packages that the Worker ships. */
export async function makeBill(): Promise<Bill> {
  const options = [
    '--package-lock-only',
    '--sbom-format',
    'cyclonedx',
    '--sbom-type',
    'application',
    '--workspaces=false',
  ]
  const { stdout } = await run('npm', ['sbom', ...options], { cwd: projectFolder, maxBuffer: 64_000_000 })
  const lock = lockSchema.parse(JSON.parse(await readFile(join(projectFolder, 'package-lock.json'), 'utf8')))
  return shippedBill(billSchema.parse(JSON.parse(stdout)), lock.packages, lock.name)
}

if (import.meta.main)
  await runCommand(help, async (args) => {
    parseArgs({ args, options: {} })
    process.stdout.write(`${JSON.stringify(await makeBill(), null, 2)}\n`)
  })
