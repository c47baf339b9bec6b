// The bill of materials holds what the Worker ships, and nothing else.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { makeBill } from '../../../src/cli/sbom.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

it('the bill of materials lists every dependency of the Worker and no development package', async () => {
  const manifest = z
    .object({
      name: z.string(),
      dependencies: z.record(z.string(), z.string()),
      devDependencies: z.record(z.string(), z.string()),
    })
    .parse(JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')))
  const { metadata, components, dependencies } = await makeBill()
  const refs = components.map((component) => component['bom-ref'])
  expect(refs).toEqual(
    expect.arrayContaining(Object.entries(manifest.dependencies).map(([name, version]) => `${name}@${version}`)),
  )
  expect(metadata.component.name).toBe(manifest.name)
  const development = Object.entries(manifest.devDependencies).map(([name, version]) => `${name}@${version}`)
  expect(refs.filter((ref) => development.includes(ref))).toEqual([])
  expect(dependencies.map(({ ref }) => ref).toSorted()).toEqual([...refs, `${manifest.name}@0.1.0`].toSorted())
})
