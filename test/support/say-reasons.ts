// A failure's reason is for the log and not in its message, so a test that fails with one says it.
import { beforeEach, onTestFailed } from 'vitest'

beforeEach(() => {
  onTestFailed(({ task }) => {
    for (const error of task.result?.errors ?? [])
      if ('reason' in error) console.error(`reason: ${String(error['reason'])}`)
  })
})
