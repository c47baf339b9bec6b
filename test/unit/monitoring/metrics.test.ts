import { expect, test } from 'vitest'
import { createMetrics } from '../../../src/monitoring/metrics.ts'

test('a count is one data point with its labels in the order of their names', () => {
  const points: unknown[] = []
  const metrics = createMetrics({ writeDataPoint: (point) => points.push(point) })
  metrics.count('webhooks', { type: 'ITEM', outcome: 'refused' })
  metrics.count('rows', {}, 500)
  expect(points).toEqual([
    { indexes: ['webhooks'], blobs: ['outcome=refused', 'type=ITEM'], doubles: [1] },
    { indexes: ['rows'], blobs: [], doubles: [500] },
  ])
})

test('counts are dropped without a dataset', () => {
  expect(() => createMetrics(undefined).count('webhooks')).not.toThrow()
})
