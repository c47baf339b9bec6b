// Downloads everything that is stored about the person, and shows how much has arrived.
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useClient } from '../api/context.tsx'
import { Card } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { type Format, formats, readExport, saveFile } from './download.ts'

const sizeFormat = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 })
const sizeOf = (bytes: number): string => sizeFormat.format(Math.ceil(bytes / 1000))

const today = (): string => new Date().toISOString().slice(0, 10)

export function ExportCard() {
  const client = useClient()
  const [bytes, setBytes] = useState(0)
  const underway = useRef<AbortController | null>(null)
  useEffect(() => () => underway.current?.abort(), [])
  const download = useMutation({
    mutationFn: async (format: Format) => {
      const controller = new AbortController()
      underway.current = controller
      setBytes(0)
      const file = await readExport(client, format, { signal: controller.signal, onProgress: setBytes })
      saveFile(file, `wealthnavigator-${today()}.${formats[format].ending}`)
    },
  })
  const isStopped = download.error !== null && underway.current?.signal.aborted === true
  return (
    <Card title="Download your data">
      <p>
        Everything that is stored about you: banks, accounts, balances, transactions, your notes and choices, and who
        did what with it. Passwords, codes and the keys to your banks are not part of it.
      </p>
      <div className="actions">
        {(['jsonl', 'csv'] as const).map((format) => (
          <button
            key={format}
            type="button"
            className="button"
            disabled={download.isPending}
            onClick={() => download.mutate(format)}
          >
            Download as {formats[format].name}
          </button>
        ))}
        {download.isPending ? (
          <button type="button" className="button quiet" onClick={() => underway.current?.abort()}>
            Stop
          </button>
        ) : null}
      </div>
      {download.isPending ? <progress aria-label="Download" /> : null}
      <p role="status" className="muted">
        {download.isPending ? `${sizeOf(bytes)} so far` : null}
        {download.isSuccess ? `Complete: ${sizeOf(bytes)}. The file is with your downloads.` : null}
        {isStopped ? 'Stopped. Nothing was saved.' : null}
      </p>
      {download.error === null || isStopped ? null : <Failed error={download.error} />}
    </Card>
  )
}
