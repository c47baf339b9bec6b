ALTER TABLE "item_products" ADD COLUMN "woken_until" timestamp (3) with time zone;--> statement-breakpoint
-- Deletes the webhooks about an item that is due to be purged, those that came before its row too. wn_jobs may delete no
-- other of them.
CREATE FUNCTION app.forget_webhooks(p_item uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM public.webhook_events e USING public.items i
  WHERE i.id = p_item AND i.purge_at <= now() AND (e.plaid_item_id = i.plaid_item_id
    OR e.plaid_item_id IN (SELECT x.plaid_item_id FROM public.link_exchanges x WHERE x.item_id = p_item AND x.state = 'linked'))
$$;
--> statement-breakpoint
-- Keeps the newest runs of a product, a hundred at least.
CREATE FUNCTION app.trim_runs(p_item_product uuid, p_keep integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM public.sync_runs WHERE id IN (SELECT r.id FROM public.sync_runs r WHERE r.item_product_id = p_item_product
    ORDER BY r.started_at DESC, r.id OFFSET greatest(p_keep, 100))
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.forget_webhooks(uuid), app.trim_runs(uuid, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.forget_webhooks(uuid), app.trim_runs(uuid, integer) TO wn_jobs;
