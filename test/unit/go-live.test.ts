// docs/go-live.md has a row for each box of the brief's deployment checklist, and each row has a command or says whose it is.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const text = await readFile(join(projectFolder, 'docs', 'go-live.md'), 'utf8')

/** The rows of the table below a heading. */
const rowsBelow = (heading: string): string[][] =>
  (text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| box '))
    .map((line) => line.slice(2, -2).split(' | '))

describe.each([
  [
    'Before',
    [
      'All tests passing',
      'Security audit completed',
      'Load testing completed',
      'SSL certificates configured',
      'Monitoring and alerting set up',
      'Backup and recovery tested',
      'Environment variables configured',
      'Database migrations ready',
      'Rollback plan documented',
    ],
  ],
  [
    'During',
    [
      'Deploy to staging environment',
      'Run smoke tests on staging',
      'Perform security scan on staging',
      'Get stakeholder approval',
      'Deploy to production',
      'Verify production deployment',
      'Monitor for errors (first 24 hours)',
      'Verify backups running',
    ],
  ],
  [
    'After',
    [
      'Monitor error rates',
      'Check API response times',
      'Verify sync jobs running',
      'Test webhook delivery',
      'Review security logs',
      'Update documentation',
      'Notify users of new features',
    ],
  ],
])('the checklist %s a deployment', (heading, boxes) => {
  const rows = rowsBelow(heading)

  it('has every box of the brief, in its order', () => {
    expect(rows.map(([box]) => box).slice(0, boxes.length)).toEqual(boxes)
  })

  it('has a command or a line of one for each, or says that it is yours', () => {
    const bare = rows.filter(
      ([, how = '', result = '']) => !/`(?:[A-Z_]+=… )?npm |^\*\*Yours|^\*|the same command/.test(how) || result === '',
    )
    expect(bare).toEqual([])
  })
})
