// Where the console's links to the documents lead.
import { describe, expect, test } from 'vitest'
import { documentsAt } from '../../../src/dev/lib/documents-url.ts'

const documents = 'https://github.com/wealth/edge/blob/HEAD/docs/'

describe('the address of the documents', () => {
  test.each([
    ['https://github.com/wealth/edge.git', documents],
    ['https://github.com/wealth/edge\n', documents],
    ['git@github.com:wealth/edge.git', documents],
    ['ssh://git@github.com/wealth/edge', documents],
    ['https://example.com/github.com/wealth/edge', null],
    ['https://github.com.example.com/wealth/edge', null],
    ['https://user:secret@github.com/wealth/edge', null],
    ['/srv/git/edge', null],
    ['', null],
  ])('leads from the remote %j to %j', (remote, address) => {
    expect(documentsAt(remote)).toBe(address)
  })
})
