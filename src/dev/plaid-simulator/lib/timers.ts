// Tracks timers and outgoing calls, so that all have ended when the simulator stops.

export interface Timers {
  /** Runs the task after so many milliseconds, unless the simulator stops before. */
  after(ms: number, task: () => void | Promise<void>): void
  /** Tracks running work: logs its failure, and `stop` waits for its end. */
  follow(work: Promise<void>): void
  /** Aborted when the simulator stops; outgoing calls use it. */
  readonly signal: AbortSignal
  /** Cancels what has not started, aborts what has, and waits until nothing runs. */
  stop(): Promise<void>
}

export function timers(log: (line: string) => void): Timers {
  const waiting = new Set<NodeJS.Timeout>()
  const running = new Set<Promise<void>>()
  const controller = new AbortController()
  const follow = (work: Promise<void>): void => {
    const settled = work
      .catch((error: unknown) => {
        if (!controller.signal.aborted) log(`background work failed: ${String(error)}`)
      })
      .finally(() => running.delete(settled))
    running.add(settled)
  }
  return {
    signal: controller.signal,
    follow,
    after(ms, task) {
      if (controller.signal.aborted) return
      const timer = setTimeout(() => {
        waiting.delete(timer)
        follow(Promise.resolve().then(task))
      }, ms)
      waiting.add(timer)
    },
    async stop() {
      controller.abort()
      for (const timer of waiting) clearTimeout(timer)
      waiting.clear()
      await Promise.all(running)
    },
  }
}
