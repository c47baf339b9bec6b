// Writes the files of a backup into the bucket. A file of several megabytes is uploaded in parts, so that memory holds one
// of them for a table of any size.
import { type Bucket, backupPrefix, listObjects, type Upload, unfinishedPrefix } from './bucket.ts'
import type { Destination } from './create-backup.ts'

/** R2's smallest part. All parts but the last have the same size. */
const partBytes = 5 * 1024 * 1024

interface Part {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

/** The content in parts of the buffer's size, the last one smaller or empty. A part is overwritten when the next one is read. */
async function* splitParts(content: ReadableStream<Uint8Array>, buffer: Uint8Array): AsyncGenerator<Part, undefined> {
  let used = 0
  for await (const chunk of content)
    for (let rest = chunk; rest.length > 0;) {
      if (used === buffer.length) {
        yield { bytes: buffer, isLast: false }
        used = 0
      }
      const taken = rest.subarray(0, buffer.length - used)
      buffer.set(taken, used)
      used += taken.length
      rest = rest.subarray(taken.length)
    }
  yield { bytes: buffer.subarray(0, used), isLast: true }
  return undefined
}

/** Uploads `first` and the parts after it. */
async function uploadParts(upload: Upload, first: Part, others: AsyncGenerator<Part, undefined>): Promise<void> {
  const uploaded: Awaited<ReturnType<Upload['uploadPart']>>[] = []
  for (let part: Part | undefined = first; part !== undefined; part = (await others.next()).value)
    uploaded.push(await upload.uploadPart(uploaded.length + 1, part.bytes))
  await upload.complete(uploaded)
}

/** The files of the backup `id`. After `discard`, none of them is left, unless the bucket's lock keeps it. */
export function bucketDestination(bucket: Bucket, id: string): Destination & { readonly discard: () => Promise<void> } {
  // Shared by all files, which are written one after the other.
  const buffer = new Uint8Array(partBytes)
  let isDiscarded = false
  const uploadLarge = async (file: string, first: Part, others: AsyncGenerator<Part, undefined>): Promise<void> => {
    const upload = await bucket.createMultipartUpload(`${backupPrefix}${id}/${file}`)
    const note = `${unfinishedPrefix}${id}/${file}`
    try {
      await bucket.put(note, upload.uploadId)
      await uploadParts(upload, first, others)
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
      const parts = splitParts(content, buffer)
      const first = await parts.next()
      if (first.done === true) throw new TypeError('a file has at least one part')
      const { bytes, isLast } = first.value
      if (isLast) await bucket.put(`${backupPrefix}${id}/${file}`, bytes)
      else await uploadLarge(file, first.value, parts)
    },
    discard: async () => {
      isDiscarded = true
      const left = await listObjects(bucket, `${backupPrefix}${id}/`)
      if (left.length > 0) await bucket.delete(left.map(({ key }) => key))
    },
  }
}
