// The arithmetic of a load report, and what makes the command fail.
import { describe, expect, it } from 'vitest'
import { refuseMissed, reportText } from '../../../../src/cli/load/report.ts'
import { criteriaOf, percentile, trafficOf } from '../../../../src/cli/load/traffic.ts'

const outcomes = (status: number, count: number, ms = 10) => Array.from({ length: count }, () => ({ status, ms }))
const judged = (traffic: Parameters<typeof criteriaOf>[0]) => criteriaOf(traffic).map(({ ok }) => ok)
const machine = { cpu: 'CPU', cores: 2, memory_gb: 8, platform: 'linux x64', node: '24' }

describe('a percentile', () => {
  it.each([
    [0.5, 2],
    [0.75, 3],
    [0.99, 4],
    [1, 4],
    [0, 1],
  ])('%d is the smallest value that this share does not exceed', (share, expected) => {
    expect(percentile([1, 2, 3, 4], share)).toBe(expected)
  })
})

describe('the traffic of a phase', () => {
  it('counts statuses, and requests without a response, which have no time', () => {
    expect(trafficOf('reads', [...outcomes(200, 2, 1), ...outcomes(429, 1, 4), ...outcomes(0, 1, 9999)], 2)).toEqual({
      name: 'reads',
      requests: 4,
      perSecond: 2,
      good: 0.5,
      statuses: { 200: 2, 429: 1, none: 1 },
      meanMs: 2,
      p50Ms: 1,
      p99Ms: 4,
      maxMs: 4,
    })
  })
})

describe('the criteria of the brief', () => {
  it('are met by 99.9 % good responses with a mean below 2 s', () => {
    expect(judged(trafficOf('x', [...outcomes(200, 999), ...outcomes(500, 1)], 1))).toEqual([true, true])
  })

  it('are missed by fewer good ones', () => {
    expect(judged(trafficOf('x', [...outcomes(200, 998), ...outcomes(500, 1)], 1))).toEqual([false, true])
  })

  it.each([301, 400, 429, 503, 0])('count %d as not good', (status) => {
    expect(judged(trafficOf('x', [...outcomes(200, 100), ...outcomes(status, 1)], 1))[0]).toBe(false)
  })

  it('are missed by a mean of 2 s', () => {
    expect(judged(trafficOf('x', outcomes(200, 10, 2000), 1))).toEqual([true, false])
  })

  it('are not met by a phase in which nothing was sent', () => {
    expect(judged(trafficOf('x', [], 1))).toEqual([false, false])
  })
})

describe('a report', () => {
  const traffic = [trafficOf('reads', [...outcomes(200, 3), ...outcomes(503, 1)], 2)]
  const findings = traffic.flatMap(criteriaOf)

  it('shows each phase, each target, what was not good, and the machine', () => {
    expect(reportText({ traffic, findings, notes: ['note'] }, machine)).toBe(
      [
        'phase  requests  per second  good  mean   p50    p99    longest  not good',
        'reads  4         2           75 %  10 ms  10 ms  10 ms  10 ms    1 × 503',
        '',
        'measured                   value  against  target     met',
        'reads: good responses      75 %            ≥ 99.9 %   NO',
        'reads: mean response time  10 ms           < 2000 ms  yes',
        '',
        'note',
        'CPU, 2 cores, 8 GB, linux x64, Node 24',
        '',
      ].join('\n'),
    )
  })

  it('fails the command where one target is missed, and names it', () => {
    expect(() => refuseMissed({ traffic, findings, notes: [] })).toThrow('Missed: reads: good responses (≥ 99.9 %)')
  })

  it('passes where all targets are met', () => {
    const met = criteriaOf(trafficOf('reads', outcomes(200, 10), 1))
    expect(() => refuseMissed({ traffic, findings: met, notes: [] })).not.toThrow()
  })

  it('fails the command where nothing was judged', () => {
    const finding = { name: 'x', value: 1, unit: 'ms' }
    expect(() => refuseMissed({ traffic, findings: [finding], notes: [] })).toThrow('Nothing was measured.')
  })
})
