// Starts the control server of the test run. The control server starts what tests request and ends it afterwards, so a
// run of unit tests starts no database.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import './stack.ts'
import { startControl } from './control.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const control = await startControl(process.env['TEST_DATABASE_URL'])
  project.provide('control', control.url)
  // Most of a short command's time is reading its modules.
  process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'wealthnavigator-edge-compile-cache')
  project.provide('proofs', process.env['PROOFS'] === 'all' ? 'all' : 'sample')
  const { EVENT_SEQUENCES, FEED_SEQUENCES } = process.env
  project.provide('eventSequences', EVENT_SEQUENCES === undefined ? null : Number(EVENT_SEQUENCES))
  project.provide('feedSequences', FEED_SEQUENCES === undefined ? null : Number(FEED_SEQUENCES))
  project.provide('model', {
    // CI sets a higher number; see .ci/run.
    runs: Number(process.env['MODEL_RUNS'] ?? 6),
    // A fixed default, so that two runs differ only by the code. Other seeds are for exploration.
    seed: Number(process.env['MODEL_SEED'] ?? 60_000),
    path: process.env['MODEL_PATH'] ?? '',
    replayPath: process.env['MODEL_REPLAY_PATH'] ?? '',
    shrink: process.env['MODEL_SHRINK'] !== 'false',
  })
  return () => control.stop()
}
