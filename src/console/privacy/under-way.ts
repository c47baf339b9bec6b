// Whether an erasure is being requested in this tab. From its start the person's tokens are refused: until its response is here,
// that is no end of the session.
let count = 0

export const isErasing = (): boolean => count > 0

export async function whileErasing<Result>(work: () => Promise<Result>): Promise<Result> {
  count += 1
  try {
    return await work()
  } finally {
    count -= 1
  }
}
