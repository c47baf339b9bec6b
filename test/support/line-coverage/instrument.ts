// Copies the Worker's sources with a counter in each statement, and serves the counters at a path that no deployed
// Worker has. Types are replaced by spaces, so line numbers do not change.
import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as z from 'zod'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const leftOut = new Set(['dev', 'cli'])

/** Where an instrumented Worker returns its counters. */
export const COVERAGE_PATH = '/__coverage__'

const entrySource = `import worker from './worker.ts'
export * from './worker.ts'
export default {
  ...worker,
  fetch(request, env, context) {
    if (new URL(request.url).pathname === '${COVERAGE_PATH}') return Response.json(globalThis.__coverage__ ?? {})
    return worker.fetch(request, env, context)
  },
}
`

interface Instrumenter {
  instrumentSync(code: string, path: string): string
}
const instrumenterModule = z.object({
  createInstrumenter: z.custom<(options: object) => Instrumenter>((value) => typeof value === 'function'),
})

/** The instrumenter of vitest's own coverage. It is not a direct dependency of this project. */
async function createInstrumenter(): Promise<Instrumenter> {
  const provider = createRequire(import.meta.url).resolve('@vitest/coverage-istanbul')
  const path = join(dirname(provider), '..', '..', 'istanbul-lib-instrument', 'dist', 'index.mjs')
  const module = instrumenterModule.parse({ ...(await import(pathToFileURL(path).href)) })
  return module.createInstrumenter({
    esModules: true,
    coverageGlobalScopeFunc: false,
    coverageGlobalScope: 'globalThis',
  })
}

async function instrumentFolder(instrumenter: Instrumenter, from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) {
      if (!leftOut.has(entry.name)) await instrumentFolder(instrumenter, source, target)
    } else if (entry.name.endsWith('.ts')) {
      const code = stripTypeScriptTypes(await readFile(source, 'utf8'))
      await writeFile(target, instrumenter.instrumentSync(code, source))
    } else await cp(source, target)
  }
}

/** Writes the instrumented project into `folder` and returns the path of its entry. */
export async function instrumentWorker(folder: string): Promise<string> {
  await instrumentFolder(await createInstrumenter(), join(projectFolder, 'src'), join(folder, 'src'))
  for (const name of ['node_modules', 'docs', 'drizzle', 'migrations', 'package.json', 'tsconfig.json']) {
    await symlink(join(projectFolder, name), join(folder, name))
  }
  const entry = join(folder, 'src', 'coverage-entry.ts')
  await writeFile(entry, entrySource)
  return entry
}
