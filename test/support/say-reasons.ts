// A failure's reason is for the log and not in its message, so a test that fails with one says it.
import { beforeEach, onTestFailed } from 'vitest'

beforeEach(() => {
  onTestFailed(({ task }) => {
    for (const error of task.result?.errors ?? [])
      // oxlint-disable-next-line no-console -- the runner shows it beside the test
      if ('reason' in error) console.error(`reason: ${String(error['reason'])}`)
  })
})
