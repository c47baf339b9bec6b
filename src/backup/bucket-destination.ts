// Writes the files of a backup into the bucket. A file of several megabytes is uploaded in parts, so that memory holds two
// of them for a table of any size.
import { type Bucket, backupPrefix, listObjects, type Upload, unfinishedPrefix } from './bucket.ts'
import type { Destination } from './create-backup.ts'

/** R2's smallest part. All parts but the last have the same size. */
const partBytes = 5 * 1024 * 1024

/** The content in parts of this size, the last one smaller or empty. */
export async function* splitParts(
  content: ReadableStream<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, undefined> {
  let part = new Uint8Array(size)
  let used = 0
  for await (const chunk of content)
    for (let rest = chunk; rest.length > 0;) {
      if (used === size) {
        yield part
        part = new Uint8Array(size)
        used = 0
      }
      const taken = rest.subarray(0, size - used)
      part.set(taken, used)
      used += taken.length
      rest = rest.subarray(taken.length)
    }
  yield part.subarray(0, used)
  return undefined
}

async function uploadParts(upload: Upload, parts: AsyncIterable<Uint8Array>): Promise<void> {
  const uploaded: Awaited<ReturnType<Upload['uploadPart']>>[] = []
  for await (const part of parts) uploaded.push(await upload.uploadPart(uploaded.length + 1, part))
  await upload.complete(uploaded)
}

async function* following(first: Uint8Array, second: Uint8Array, others: AsyncIterable<Uint8Array>) {
  yield first
  yield second
  yield* others
}

/** The files of the backup `id`. After `discard`, none of them is left, unless the bucket's lock keeps it. */
export function bucketDestination(bucket: Bucket, id: string): Destination & { readonly discard: () => Promise<void> } {
  let isDiscarded = false
  const uploadLarge = async (file: string, parts: AsyncIterable<Uint8Array>): Promise<void> => {
    const upload = await bucket.createMultipartUpload(`${backupPrefix}${id}/${file}`)
    const note = `${unfinishedPrefix}${id}/${file}`
    try {
      await bucket.put(note, upload.uploadId)
      await uploadParts(upload, parts)
    } catch (error) {
      // The first error is the one to report; the weekly cleanup tries again.
      await upload.abort().catch(() => undefined)
      throw error
    }
    await bucket.delete([note])
  }
  return {
    write: async (file, content) => {
      // What hung when the backup was given up must not write a manifest later.
      if (isDiscarded) throw new Error('the backup was discarded')
      const parts = splitParts(content, partBytes)
      const first = await parts.next()
      const second = await parts.next()
      if (first.done === true) throw new TypeError('a file has at least one part')
      if (second.done === true) await bucket.put(`${backupPrefix}${id}/${file}`, first.value)
      else await uploadLarge(file, following(first.value, second.value, parts))
    },
    discard: async () => {
      isDiscarded = true
      const left = await listObjects(bucket, `${backupPrefix}${id}/`)
      if (left.length > 0) await bucket.delete(left.map(({ key }) => key))
    },
  }
}
