// Starts the run's control server, and with it whatever the tests ask for; ends all of it. Nothing is started that no
// test asked for: a run of pure tests has no database.
import type { TestProject } from 'vitest/node'
import './stack.ts'
import { startControl } from './control.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const control = await startControl(process.env['TEST_DATABASE_URL'])
  project.provide('control', control.url)
  project.provide('proofs', process.env['PROOFS'] === 'all' ? 'all' : 'sample')
  project.provide('model', {
    // CI asks for more; see .ci/run.
    runs: Number(process.env['MODEL_RUNS'] ?? 10),
    // The same for everybody, so that a change is judged by what it does; others are for looking further.
    seed: Number(process.env['MODEL_SEED'] ?? 60_000),
    path: process.env['MODEL_PATH'] ?? '',
    replayPath: process.env['MODEL_REPLAY_PATH'] ?? '',
    shrink: process.env['MODEL_SHRINK'] !== 'false',
  })
  return () => control.stop()
}
