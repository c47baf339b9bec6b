// The bucket of backups: the part of an R2 binding that is used, and the names of its objects.

export interface BucketObject {
  readonly key: string
  readonly size: number
  readonly uploaded: Date
}

interface UploadedPart {
  readonly partNumber: number
  readonly etag: string
}

/** An upload in parts. The object exists once it is complete. */
export interface Upload {
  readonly key: string
  readonly uploadId: string
  uploadPart(number: number, bytes: Uint8Array): Promise<UploadedPart>
  complete(parts: UploadedPart[]): Promise<unknown>
  abort(): Promise<void>
}

export interface Bucket {
  /** Resolves with null where the condition does not hold. */
  put(
    key: string,
    value: Uint8Array | string,
    options?: { readonly onlyIf: { readonly etagDoesNotMatch: string } },
  ): Promise<unknown>
  get(key: string): Promise<{ readonly body: ReadableStream<Uint8Array>; text(): Promise<string> } | null>
  list(options: { readonly prefix: string; readonly cursor?: string }): Promise<{
    readonly objects: readonly BucketObject[]
    readonly truncated: boolean
    readonly cursor?: string
  }>
  delete(keys: string[]): Promise<void>
  createMultipartUpload(key: string): Promise<Upload>
  resumeMultipartUpload(key: string, uploadId: string): Upload
}

/** `backups/ID/FILE`. An operator can lock this prefix and those of checkpoints and erasures; the others are rewritten. */
export const backupPrefix = 'backups/'
/** `unfinished/ID/FILE` holds the id of an upload that was begun, because a binding cannot list uploads. */
export const unfinishedPrefix = 'unfinished/'
/** `checkpoints/DAY.json`: the first checkpoint of the audit trail of each day. */
export const checkpointPrefix = 'checkpoints/'
/** `erasures/TIME-HASH.json`: who was erased, so that a restored backup does not bring them back (./tombstones.ts). */
export const erasurePrefix = 'erasures/'
/** Holds the id of the newest backup. */
export const latestKey = 'latest'

/** Every object under a prefix, in the order of the keys. */
export async function listObjects(bucket: Bucket, prefix: string): Promise<BucketObject[]> {
  const found: BucketObject[] = []
  for (let cursor: string | undefined; ;) {
    const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...page.objects)
    if (!page.truncated || page.cursor === undefined) return found
    cursor = page.cursor
  }
}
