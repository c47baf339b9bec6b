/** What a list of erasures has of each. The time is in milliseconds, as the column has it, and in UTC. */
export const erasureColumns = `id, subject_hash,
  to_char(requested_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as requested_at`
