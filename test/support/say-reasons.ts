// A failure keeps its reason out of its message, for the log only. Prints the reason when a test fails with one.
import { beforeEach, onTestFailed } from 'vitest'

beforeEach(() => {
  onTestFailed(({ task }) => {
    for (const error of task.result?.errors ?? [])
      // oxlint-disable-next-line no-console -- the runner prints it with the test
      if ('reason' in error) console.error(`reason: ${String(error['reason'])}`)
  })
})
