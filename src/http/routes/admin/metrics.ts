// For administrators and their Prometheus: the metrics of the deployment.
import * as z from 'zod'
import { AppError } from '../../../errors.ts'
import { expositionOf } from '../../../monitoring/metrics/prometheus.ts'
import { route } from '../../route.ts'

export const metricsRoute = route({
  id: 'adminGetMetrics',
  method: 'GET',
  path: '/api/v1/admin/metrics',
  summary: 'Get metrics',
  tags: ['admin'],
  access: 'admin',
  audit: { none: 'is read every few seconds, and says nothing of a person' },
  servesWithoutDatabase: true,
  answers: { 200: z.string().meta({ description: 'Prometheus text, version 0.0.4.' }) },
  errors: ['unavailable'],
  mediaType: 'text/plain; version=0.0.4; charset=utf-8',
}).handle(async ({ services, log, now }) => {
  const { metricsStore } = services
  try {
    if (metricsStore === null) throw new Error('MONITOR is not bound')
    return { status: 200, body: expositionOf(await metricsStore.totals(), now().getTime()) }
  } catch (error) {
    log.error('metrics_not_read', { error })
    throw new AppError('unavailable', 'The metrics cannot be read now.', { reason: 'metrics' })
  }
})
