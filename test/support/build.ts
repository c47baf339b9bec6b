// Builds the Worker and the console once a run: as for a deployment, or with counters where coverage is requested.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBundle } from '../../src/dev/lib/bundle.ts'
import { buildConsole } from '../../src/dev/lib/console-build.ts'
import { instrumentWorker } from './line-coverage/instrument.ts'

export interface Build {
  /** Path of the built module. */
  build(): Promise<string>
  /** Folder of the console's files. */
  buildConsole(): Promise<string>
  remove(): Promise<void>
}

export function createBuild(): Build {
  let made: Promise<string> | undefined
  const makeFolder = () => (made ??= mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bundle-')))
  const start = async () => {
    const folder = await makeFolder()
    const source = process.env['BUNDLE_COVERAGE_FOLDER'] ? await instrumentWorker(join(folder, 'source')) : undefined
    return (await buildBundle(join(folder, 'built'), source)).entry
  }
  const startConsole = async () => {
    const options = { strict: false, documents: 'https://github.com/example/edge/blob/HEAD/docs/' }
    return (await buildConsole(join(await makeFolder(), 'console'), options)).folder
  }
  let building: Promise<string> | undefined
  let buildingConsole: Promise<string> | undefined
  return {
    build: () => (building ??= start()),
    buildConsole: () => (buildingConsole ??= startConsole()),
    async remove() {
      if (made !== undefined) await rm(await made, { recursive: true, force: true })
    },
  }
}
