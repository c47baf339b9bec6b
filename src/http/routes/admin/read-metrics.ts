// Reads the metrics of all isolates for a route. A failure is 503, and never an empty result.
import type { Ctx } from '../../../context.ts'
import { AppError } from '../../../errors.ts'
import type { MetricsStore } from '../../../monitoring/metrics/types.ts'

/** @throws AppError `unavailable` */
export async function readMetrics<Read>(
  { services: { metricsStore }, log }: Ctx,
  read: (store: MetricsStore) => Promise<Read>,
): Promise<Read> {
  try {
    if (metricsStore === null) throw new Error('MONITOR is not bound')
    return await read(metricsStore)
  } catch (error) {
    log.warn('metrics_not_read', { error })
    throw new AppError('unavailable', 'The metrics cannot be read now.', { reason: 'metrics', cause: error })
  }
}
