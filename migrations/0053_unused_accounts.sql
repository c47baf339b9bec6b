-- Built-in accounts without a user: they signed up and never called the API, so no visit was ever noted. Makes the user of
-- those whose last sign-in is older than `p_days`, with that day as the visit, so that the rule for users who do not return
-- reaches them. A user who was notified and has signed in since has returned. Returns how many users were made.
CREATE FUNCTION app.note_unused_accounts(p_issuer text, p_days integer, p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
  v_made integer;
BEGIN
  UPDATE public.user_visits v SET seen_on = s.last_on, noticed_at = NULL
  FROM public.users u, LATERAL (
    SELECT max(l.last_used_at)::date AS last_on FROM identity.sessions l
    WHERE l.account_id = CASE WHEN u.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN u.subject::uuid END) s
  WHERE u.id = v.user_id AND u.issuer = p_issuer AND v.noticed_at IS NOT NULL AND s.last_on > v.seen_on;

  WITH unused AS (
    SELECT a.id, a.created_at, greatest(a.created_at, a.password_changed_at,
      (SELECT max(l.last_used_at) FROM identity.sessions l WHERE l.account_id = a.id))::date AS last_on
    FROM identity.accounts a
    WHERE a.created_at < current_date - p_days AND NOT EXISTS (
      SELECT FROM public.users u WHERE u.issuer = p_issuer AND u.subject = a.id::text)
  ), made AS (
    INSERT INTO public.users (issuer, subject, created_at)
    SELECT p_issuer, o.id::text, o.created_at FROM unused o WHERE o.last_on < current_date - p_days LIMIT p_limit
    ON CONFLICT (issuer, subject) DO NOTHING
    RETURNING id, subject
  ), seen AS (
    INSERT INTO public.user_visits (user_id, seen_on)
    SELECT m.id, o.last_on FROM made m JOIN unused o ON o.id::text = m.subject
    ON CONFLICT (user_id) DO NOTHING RETURNING user_id
  )
  SELECT count(*) INTO v_made FROM seen;
  RETURN v_made;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.note_unused_accounts(text, integer, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.note_unused_accounts(text, integer, integer) TO wn_jobs;
