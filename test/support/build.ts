// Owns the run's one build of the Worker.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBundle } from '../../src/cli/bundle.ts'

export interface Build {
  /** Path of the built module. */
  build(): Promise<string>
  remove(): Promise<void>
}

export function createBuild(): Build {
  let folder: string | undefined
  const start = async () => {
    folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bundle-'))
    return (await buildBundle(folder)).entry
  }
  let building: Promise<string> | undefined
  return {
    build: () => (building ??= start()),
    async remove() {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}
