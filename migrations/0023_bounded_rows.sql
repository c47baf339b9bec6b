ALTER TABLE "users" ADD COLUMN "changes_from" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
-- Keeps the newest removals of a user for the change feed, a thousand at least.
CREATE FUNCTION app.trim_tombstones(p_user uuid, p_keep integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  WITH gone AS (
    DELETE FROM public.transaction_tombstones t WHERE t.user_id = p_user AND t.change_seq <= (
      SELECT k.change_seq FROM public.transaction_tombstones k WHERE k.user_id = p_user
      ORDER BY k.change_seq DESC OFFSET greatest(p_keep, 1000) LIMIT 1)
    RETURNING t.change_seq
  )
  UPDATE public.users u SET changes_from = newest.change_seq FROM (SELECT max(change_seq) AS change_seq FROM gone) newest
  WHERE u.id = p_user AND newest.change_seq > u.changes_from
$$;
--> statement-breakpoint
-- Deletes a user's oldest link tokens that have expired and exchanges that have ended: not those of the last day, which are
-- counted, nor the newest p_keep, a hundred at least.
CREATE FUNCTION app.trim_links(p_keep integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM public.link_sessions WHERE id IN (SELECT s.id FROM public.link_sessions s
    WHERE s.user_id = app.user_id() AND s.created_at < now() - interval '1 day' AND s.expires_at < now() AND s.check_at IS NULL
    ORDER BY s.created_at DESC, s.id OFFSET greatest(p_keep, 100));
  DELETE FROM public.link_exchanges WHERE id IN (SELECT x.id FROM public.link_exchanges x
    WHERE x.user_id = app.user_id() AND x.created_at < now() - interval '1 day' AND x.state NOT IN ('started', 'exchanged')
    ORDER BY x.created_at DESC, x.id OFFSET greatest(p_keep, 100))
$$;
--> statement-breakpoint
-- Keeps the newest webhooks about one of Plaid's items, or of those about none, a hundred at least; and every one that could
-- still be delivered again.
CREATE FUNCTION app.trim_webhooks(p_plaid_item text, p_keep integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM public.webhook_events WHERE id IN (SELECT e.id FROM public.webhook_events e
    WHERE e.plaid_item_id = p_plaid_item AND e.received_at < now() - interval '1 hour'
    ORDER BY e.received_at DESC, e.id DESC OFFSET greatest(p_keep, 100));
  DELETE FROM public.webhook_events WHERE id IN (SELECT e.id FROM public.webhook_events e
    WHERE p_plaid_item IS NULL AND e.plaid_item_id IS NULL AND e.received_at < now() - interval '1 hour'
    ORDER BY e.received_at DESC, e.id DESC OFFSET greatest(p_keep, 100))
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.trim_tombstones(uuid, integer), app.trim_links(integer), app.trim_webhooks(text, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.trim_tombstones(uuid, integer), app.trim_webhooks(text, integer) TO wn_jobs;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.trim_links(integer) TO wn_api;
