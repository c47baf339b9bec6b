// Starts the run's control server, and with it whatever the tests ask for; ends all of it. Nothing is started that no
// test asked for: a run of pure tests has no database.
import type { TestProject } from 'vitest/node'
import './stack.ts'
import { startControl } from './control.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const control = await startControl(process.env['TEST_DATABASE_URL'])
  project.provide('control', control.url)
  return () => control.stop()
}
