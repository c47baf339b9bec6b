// Reads package-lock.json: which entry a dependency resolves to, and which packages the Worker ships.
import * as z from 'zod'

export const packagesSchema = z.record(z.string(), z.unknown())

/** The entries of a lock file by path. The root's path is empty. */
export type Packages = z.infer<typeof packagesSchema>

const names = z.record(z.string(), z.string()).default({})
const dependenciesSchema = z.object({
  dependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().default(false) })).default({}),
})

/** The paths where `name` can be for the package at `path`: in its node_modules, then in each one above. */
export function candidatePaths(path: string, name: string): string[] {
  const own = `${path === '' ? '' : `${path}/`}node_modules/${name}`
  if (path === '') return [own]
  const above = path.lastIndexOf('/node_modules/')
  return [own, ...candidatePaths(above === -1 ? '' : path.slice(0, above), name)]
}

/**
 * The paths of the packages that the root's `dependencies` need, directly or indirectly. npm's `dev` flag does not show
 * this: it is also absent from what a workspace needs, and workspaces are tools.
 */
export function shippedPaths(packages: Packages): Set<string> {
  const shipped = new Set<string>()
  const waiting = ['']
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const from = path
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = dependenciesSchema.parse(
      packages[from],
    )
    const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional)
    for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) {
      const found = candidatePaths(from, name).find((candidate) => candidate in packages)
      if (found === undefined || shipped.has(found)) continue
      shipped.add(found)
      waiting.push(found)
    }
  }
  return shipped
}
