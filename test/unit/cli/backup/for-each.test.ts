// Work on several inputs at a time: what a failure stops, and what it waits for.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { forEach } from '../../../../src/cli/backup/for-each.ts'

it('forEach handles each input once', async () => {
  const done: number[] = []
  await forEach([5, 4, 3, 2, 1, 0], async (input) => {
    await sleep(input)
    done.push(input)
  })
  expect(done.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
})

it('forEach starts nothing after a failure, and rejects with it when what runs has ended', async () => {
  const started: number[] = []
  const ended: number[] = []
  const work = async (input: number): Promise<void> => {
    started.push(input)
    await sleep(input * 10)
    ended.push(input)
    if (input < 2) throw new Error(`input ${input}`)
  }
  await expect(forEach([2, 1, 3, 0, 4, 5, 6, 7], work)).rejects.toThrow('input 0')
  expect([started, ended]).toEqual([
    [2, 1, 3, 0],
    [0, 1, 2, 3],
  ])
})
