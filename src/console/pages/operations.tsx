// The state of the deployment: find an id, alarms, cron jobs, backups, the audit trail and the freeze.
import { useQuery } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { alarmsQuery, backupsQuery, cronsQuery, freezeQuery, verificationQuery } from '../api/operations.ts'
import { formatRelative } from '../format/dates.ts'
import { wordsOf } from '../format/words.ts'
import { Action } from '../operations/action.tsx'
import { Moment } from '../operations/entry.tsx'
import { OperationsNavigation } from '../operations/navigation.tsx'
import { IdSearch } from '../operations/search.tsx'
import { toneOf } from '../operations/tones.ts'
import { Card, Page } from '../ui/page.tsx'
import { Await, Empty } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'

/** The page of an alarm, such as `docs/runbook.md#sync_lag`. The console does not serve documents. */
function Runbook({ file }: { readonly file: string }) {
  if (documentsUrl === null)
    return (
      <>
        Runbook: <code>{file}</code>
      </>
    )
  return (
    <a href={documentsUrl + file.replace(/^docs\//, '')} target="_blank" rel="noreferrer">
      Runbook<span className="visually-hidden"> of {file.split('#')[1]}, opens in a new tab</span>
    </a>
  )
}

function Alarms() {
  const query = useQuery(alarmsQuery(useClient()))
  return (
    <Card title="Alarms">
      <Await query={query} label="Loading the alarms">
        {({ data, evaluated_at: evaluatedAt }) => {
          const active = data.filter(({ state }) => state !== 'ok')
          return (
            <>
              <p className="muted">
                {evaluatedAt === null ? 'Not evaluated yet.' : `Evaluated ${formatRelative(evaluatedAt)}.`}{' '}
                {data.length - active.length} of {data.length} are quiet.
              </p>
              <ul className="entries">
                {active.map(({ name, summary, state, since, runbook }) => (
                  <li key={name} className="entry">
                    <div className="entry-head">
                      <strong>{name}</strong>
                      <Status tone={toneOf(state)}>{wordsOf(state)}</Status>
                    </div>
                    <p className="sub">
                      {summary} {since === null ? '' : `Since ${formatRelative(since)}.`} <Runbook file={runbook} />
                    </p>
                  </li>
                ))}
              </ul>
              <details>
                <summary>All alarms</summary>
                <ul className="entries">
                  {data.map(({ name, summary, runbook }) => (
                    <li key={name} className="entry">
                      <strong>{name}</strong>
                      <p className="sub">
                        {summary} <Runbook file={runbook} />
                      </p>
                    </li>
                  ))}
                </ul>
              </details>
            </>
          )
        }}
      </Await>
    </Card>
  )
}

function Crons() {
  const query = useQuery(cronsQuery(useClient()))
  return (
    <Card title="Cron jobs">
      <Await query={query} label="Loading the cron jobs">
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No job has run yet" />
          ) : (
            <ul className="entries">
              {data.map(({ job, last_success_at: last, succeeded, failed }) => (
                <li key={job} className="entry">
                  <div className="entry-head">
                    <strong>{job}</strong>
                    <span className="muted">
                      {succeeded} succeeded, {failed} failed
                    </span>
                  </div>
                  <p className="sub">{last === null ? 'Has never succeeded.' : <Moment at={last} />}</p>
                </li>
              ))}
            </ul>
          )
        }
      </Await>
    </Card>
  )
}

function Backups() {
  const query = useQuery(backupsQuery(useClient()))
  return (
    <Card title="Backups">
      <Await query={query} label="Loading the backups">
        {({ enabled, overdue, last_backup: last, last_verified: verified }) => (
          <>
            {overdue && enabled ? (
              <p className="notice warn">The last complete backup is more than 26 hours old, or there is none.</p>
            ) : null}
            <dl className="facts">
              <div>
                <dt>Made by the Worker</dt>
                <dd>{enabled ? 'Yes' : 'No'}</dd>
              </div>
              <div>
                <dt>Last complete backup</dt>
                <dd>{last === null ? 'None' : <Moment at={last.started_at} />}</dd>
              </div>
              <div>
                <dt>Last verified restore</dt>
                <dd>{verified?.verified_at == null ? 'None' : <Moment at={verified.verified_at} />}</dd>
              </div>
            </dl>
          </>
        )}
      </Await>
    </Card>
  )
}

function Trail() {
  const query = useQuery(verificationQuery(useClient()))
  return (
    <Card title="Audit trail">
      <Await query={query} label="Loading the verification">
        {({ last, waiting }) => (
          <dl className="facts">
            <div>
              <dt>Last verification</dt>
              <dd>{last === null ? 'None yet: npm run audit -- verify' : <Moment at={last.verified_at} />}</dd>
            </div>
            <div>
              <dt>Result</dt>
              <dd>
                {last === null ? 'Unknown' : last.valid ? 'Every row is as signed' : (last.fault?.what ?? 'Not valid')}
              </dd>
            </div>
            <div>
              <dt>Rows that wait for a place</dt>
              <dd>{waiting}</dd>
            </div>
          </dl>
        )}
      </Await>
    </Card>
  )
}

function Freeze() {
  const client = useClient()
  const query = useQuery(freezeQuery(client))
  return (
    <Card title="Freeze">
      <Await query={query} label="Loading the freeze">
        {({ state }) => (
          <>
            <p>{state === 'off' ? 'The deployment is not frozen.' : `The deployment is frozen: ${state}.`}</p>
            <div className="actions">
              {state === 'off' ? (
                <Action
                  label="Freeze…"
                  title="Freeze the deployment?"
                  effect="All writes stop at once, and all calls of Plaid within two seconds. Reads, sign-in and sign-out continue. Plaid sends webhooks again for 24 hours."
                  run={async () =>
                    `The freeze is ${(await client.post('/api/v1/admin/freeze', { body: { state: 'frozen' } })).state}.`
                  }
                />
              ) : (
                <Action
                  endsFreeze
                  label="End the freeze…"
                  title="End the freeze?"
                  effect="Writes and calls of Plaid are possible again. The next sweep schedules the syncs that waited."
                  run={async () => `The freeze is ${(await client.delete('/api/v1/admin/freeze')).state}.`}
                />
              )}
            </div>
          </>
        )}
      </Await>
    </Card>
  )
}

export default function Operations() {
  return (
    <Page title="Operations" lead="Ids, states, times and counts of this deployment. Each read is in the audit trail.">
      <OperationsNavigation />
      <IdSearch />
      <Alarms />
      <Crons />
      <Backups />
      <Trail />
      <Freeze />
    </Page>
  )
}
