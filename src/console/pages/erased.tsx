// An erasure and its certificate. Needs no session: an erased person has none.
import type { Erasure } from '@wealthnavigator/client'
import { useCallback, useEffect, useState } from 'react'
import { readErasure } from '../api/own-data.ts'
import { formatMoment } from '../format/dates.ts'
import { spaced } from '../format/words.ts'
import { readCertificate } from '../privacy/certificate.ts'
import { saveFile } from '../privacy/download.ts'
import { Link } from '../router/link.tsx'
import { CopyId } from '../ui/copy.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Failed, Loading } from '../ui/states.tsx'

const pollMs = 3000

interface Progress {
  readonly erasure: Erasure | null
  readonly error: unknown
  readonly retry: () => void
}

/** Asks until the erasure is complete. */
function useErasure(id: string): Progress {
  const [erasure, setErasure] = useState<Erasure | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [round, setRound] = useState(0)
  useEffect(() => {
    const controller = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async (): Promise<void> => {
      try {
        const found = await readErasure(id, controller.signal)
        setError(null)
        setErasure(found)
        if (found.status === 'erasing') timer = setTimeout(() => setRound((before) => before + 1), pollMs)
      } catch (thrown) {
        if (!controller.signal.aborted) setError(thrown)
      }
    }
    void read()
    return () => {
      controller.abort()
      clearTimeout(timer)
    }
  }, [id, round])
  const retry = useCallback(() => setRound((before) => before + 1), [])
  return { erasure, error, retry }
}

function CertificateCard({ id, jws }: { readonly id: string; readonly jws: string }) {
  const certificate = readCertificate(jws)
  const save = (): void => saveFile(new Blob([jws], { type: 'application/jose' }), `erasure-${id}.jws`)
  const rows = certificate?.deleted.filter(([, count]) => count > 0) ?? []
  return (
    <Card title="Certificate">
      <p>Signed by this server. Whoever operates it can verify the file, and nobody can change it unnoticed.</p>
      <div className="actions">
        <button type="button" className="button primary" onClick={save}>
          Download the certificate
        </button>
      </div>
      {certificate === null ? null : (
        <>
          {certificate.items === '' ? null : <p>Banks at Plaid: {certificate.items}.</p>}
          <h3>What is kept, and why</h3>
          <ul className="bullets">
            {certificate.kept.map(({ what, why }) => (
              <li key={what}>
                {what}: <span className="muted">{why}</span>
              </li>
            ))}
          </ul>
          <details>
            <summary>What was deleted</summary>
            <table className="compact">
              <thead>
                <tr>
                  <th scope="col">Table</th>
                  <th scope="col" className="number">
                    Rows
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map(([table, count]) => (
                  <tr key={table}>
                    <th scope="row">{spaced(table)}</th>
                    <td className="number">{count}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      )}
    </Card>
  )
}

function Outcome({ erasure }: { readonly erasure: Erasure }) {
  const { id, completed_at: completedAt, requested_at: requestedAt, certificate } = erasure
  return (
    <>
      <section className="card">
        {completedAt === null ? (
          <p role="status">
            Your data are hidden, and nobody can sign in as you. A bank is still being disconnected: this continues by
            itself. You may close this page, and come back to its address for the certificate.
          </p>
        ) : (
          <p role="status">
            Everything about you was deleted on {formatMoment(completedAt)}. You are signed out. From a minute later,
            you can begin anew.
          </p>
        )}
        <p className="muted">
          Requested on {formatMoment(requestedAt)}. Keep this reference: it needs no sign-in, and names nobody.
        </p>
        <p className="ids">
          <CopyId label="Erasure" value={id} />
        </p>
      </section>
      {certificate === null ? null : <CertificateCard id={id} jws={certificate} />}
    </>
  )
}

export default function Erased({ id }: { readonly id: string }) {
  const { erasure, error, retry } = useErasure(id)
  const title = erasure === null ? 'Erasure' : erasure.status === 'erased' ? 'Everything is erased' : 'Erasing'
  return (
    <main className="gate">
      <Page title={title}>
        {error === null ? null : <Failed error={error} retry={retry} />}
        {erasure === null && error === null ? <Loading label="Loading the erasure" /> : null}
        {erasure === null ? null : <Outcome erasure={erasure} />}
        <p>
          <Link to="/">Go to the first page</Link>
        </p>
      </Page>
    </main>
  )
}
