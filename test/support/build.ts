// Builds the Worker once a run: as for a deployment, or with counters where coverage is requested.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBundle } from '../../src/dev/lib/bundle.ts'
import { instrumentWorker } from './line-coverage/instrument.ts'

export interface Build {
  /** Path of the built module. */
  build(): Promise<string>
  remove(): Promise<void>
}

export function createBuild(): Build {
  let folder: string | undefined
  const start = async () => {
    folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bundle-'))
    const source = process.env['BUNDLE_COVERAGE_FOLDER'] ? await instrumentWorker(join(folder, 'source')) : undefined
    return (await buildBundle(join(folder, 'built'), source)).entry
  }
  let building: Promise<string> | undefined
  return {
    build: () => (building ??= start()),
    async remove() {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}
