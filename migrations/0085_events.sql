CREATE TABLE "webhook_deliveries" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"event_id" uuid NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"owner_id" uuid,
	"user_id" uuid,
	"type" text NOT NULL,
	"item_id" uuid,
	"data" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone DEFAULT now() + interval '3 days' NOT NULL,
	"last_attempt_at" timestamp (3) with time zone,
	"last_status" smallint,
	"last_duration_ms" integer,
	"last_error" text,
	CONSTRAINT "webhook_deliveries_state" CHECK (state in ('pending', 'delivered', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoints" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid,
	"url" text NOT NULL,
	"events" text[],
	"state" text DEFAULT 'unverified' NOT NULL,
	"disabled_reason" text,
	"secret_sealed" text NOT NULL,
	"previous_sealed" text,
	"previous_until" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"next_attempt_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"lease_owner" uuid,
	"lease_expires_at" timestamp (3) with time zone,
	"woken_until" timestamp (3) with time zone,
	CONSTRAINT "webhook_endpoints_state" CHECK (state in ('unverified', 'enabled', 'disabled'))
);
--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_endpoint_id_webhook_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "public"."webhook_endpoints"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_endpoint" ON "webhook_deliveries" USING btree ("endpoint_id","created_at","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_owner" ON "webhook_deliveries" USING btree ("owner_id","created_at","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_user" ON "webhook_deliveries" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_created" ON "webhook_deliveries" USING btree ("created_at" NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries" USING btree ("endpoint_id","next_attempt_at") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_endpoints_user" ON "webhook_endpoints" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "webhook_endpoints_due" ON "webhook_endpoints" USING btree ("next_attempt_at") WHERE state = 'enabled';
--> statement-breakpoint
ALTER TABLE webhook_endpoints ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON webhook_endpoints TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY all_rows ON webhook_deliveries TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY own_rows ON webhook_endpoints TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
-- Those of the user's own endpoints. Endpoints of administrators get events about the user, too, and are not the user's.
CREATE POLICY own_rows ON webhook_deliveries TO wn_api USING (owner_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
GRANT SELECT, DELETE ON webhook_endpoints TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT INSERT (id, user_id, url, events, secret_sealed) ON webhook_endpoints TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT UPDATE (url, events, state, disabled_reason, secret_sealed, previous_sealed, previous_until, updated_at, failures,
  failing_since, next_attempt_at) ON webhook_endpoints TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT UPDATE (lease_owner, lease_expires_at, woken_until) ON webhook_endpoints TO wn_jobs;
--> statement-breakpoint
GRANT SELECT ON webhook_deliveries TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT INSERT (event_id, endpoint_id, owner_id, user_id, type, data) ON webhook_deliveries TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT UPDATE (state, next_attempt_at, expires_at) ON webhook_deliveries TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT UPDATE (data, attempts, last_attempt_at, last_status, last_duration_ms, last_error) ON webhook_deliveries TO wn_jobs;
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON webhook_endpoints
FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON webhook_deliveries
FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
-- Whether any endpoint gets events of the user. Two steps of an index, so that a commit without listeners costs next to
-- nothing.
CREATE FUNCTION app.has_listener(p_user uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM public.webhook_endpoints e WHERE e.user_id = p_user AND e.state = 'enabled')
    OR EXISTS (SELECT FROM public.webhook_endpoints e WHERE e.user_id IS NULL AND e.state = 'enabled')
$$;
--> statement-breakpoint
-- Inserts one row per endpoint that is subscribed to the event. After an erasure, only `user.erased` is written.
CREATE FUNCTION app.emit_event(p_user uuid, p_item uuid, p_type text, p_data jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
  WITH event AS MATERIALIZED (SELECT gen_random_uuid() AS id)
  INSERT INTO public.webhook_deliveries (event_id, endpoint_id, owner_id, user_id, item_id, type, data)
  SELECT event.id, e.id, e.user_id, p_user, p_item, p_type, p_data FROM event CROSS JOIN public.webhook_endpoints e
  WHERE e.state = 'enabled' AND (e.user_id = p_user OR e.user_id IS NULL) AND coalesce(p_type = ANY (e.events), true)
    AND NOT EXISTS (SELECT FROM public.users u WHERE u.id = p_user AND u.tokens_valid_from = 'infinity')
$$;
--> statement-breakpoint
-- Each change of a user's transactions increments the user's counter, so this trigger fires for all of them. It is deferred to
-- the commit, when all rows with these numbers are written.
CREATE FUNCTION app.emit_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_item record;
BEGIN
  IF NOT app.has_listener(NEW.id) THEN
    RETURN NULL;
  END IF;
  FOR v_item IN
    SELECT c.item_id, count(*) FILTER (WHERE c.is_shown) AS upserted, count(*) FILTER (WHERE NOT c.is_shown) AS removed
    FROM (
      SELECT t.item_id, t.removed_at IS NULL AND i.removed_at IS NULL AS is_shown
      FROM public.transactions t JOIN public.items i ON i.id = t.item_id
      WHERE t.user_id = NEW.id AND t.change_seq > OLD.change_seq AND t.change_seq <= NEW.change_seq
      UNION ALL
      SELECT NULL, false FROM public.transaction_tombstones s
      WHERE s.user_id = NEW.id AND s.change_seq > OLD.change_seq AND s.change_seq <= NEW.change_seq
    ) c GROUP BY c.item_id
  LOOP
    PERFORM app.emit_event(NEW.id, v_item.item_id, 'transactions.changed', jsonb_build_object('since', OLD.change_seq,
      'next_since', NEW.change_seq, 'upserted', v_item.upserted, 'removed', v_item.removed));
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION app.emit_item() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.removed_at IS NULL AND app.has_listener(OLD.user_id) THEN
      PERFORM app.emit_event(OLD.user_id, OLD.id, 'item.removed', '{}');
    END IF;
    RETURN NULL;
  END IF;
  IF NOT app.has_listener(NEW.user_id) THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'INSERT' THEN
    PERFORM app.emit_event(NEW.user_id, NEW.id, 'item.linked', '{}');
    RETURN NULL;
  END IF;
  IF NEW.removed_at IS NOT NULL THEN
    IF OLD.removed_at IS NULL THEN
      PERFORM app.emit_event(NEW.user_id, NEW.id, 'item.removed', '{}');
    END IF;
    RETURN NULL;
  END IF;
  IF NEW.link_epoch <> OLD.link_epoch THEN
    PERFORM app.emit_event(NEW.user_id, NEW.id, 'item.linked', '{}');
  END IF;
  IF NEW.status <> OLD.status THEN
    PERFORM app.emit_event(NEW.user_id, NEW.id, 'item.status_changed', jsonb_build_object('from', OLD.status,
      'to', NEW.status, 'new_accounts', NEW.new_accounts_available,
      'consent_needed', EXISTS (SELECT FROM public.item_products p WHERE p.item_id = NEW.id AND p.status = 'consent_needed'),
      'deadline', CASE NEW.status WHEN 'pending_disconnect' THEN NEW.disconnect_at
        WHEN 'pending_expiration' THEN NEW.consent_expires_at END));
  END IF;
  IF NEW.new_accounts_available AND NOT OLD.new_accounts_available THEN
    PERFORM app.emit_event(NEW.user_id, NEW.id, 'item.new_accounts', '{}');
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- What a run stored in tables that have no counter, and the first of consecutive failures of a product.
CREATE FUNCTION app.emit_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT app.has_listener(NEW.user_id) THEN
    RETURN NULL;
  END IF;
  IF NEW.outcome = 'failed' THEN
    PERFORM app.emit_event(NEW.user_id, NEW.item_id, 'sync.failed',
      jsonb_build_object('product', NEW.product, 'error_code', NEW.error_code))
    FROM public.item_products p WHERE p.id = NEW.item_product_id AND p.attempts = 1;
  ELSE
    PERFORM app.emit_event(NEW.user_id, NEW.item_id, CASE NEW.product WHEN 'balances' THEN 'accounts.changed'
      ELSE NEW.product || '.changed' END, '{}');
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- To endpoints of administrators. The subject leaves the row with the last attempt.
CREATE FUNCTION app.emit_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM app.emit_event(NULL, NULL, 'user.erased', jsonb_build_object('user', OLD.id, 'subject', OLD.subject));
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE CONSTRAINT TRIGGER users_emit_changes AFTER UPDATE OF change_seq ON users DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.change_seq > OLD.change_seq) EXECUTE FUNCTION app.emit_changes();
--> statement-breakpoint
CREATE TRIGGER users_emit_erased AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION app.emit_erased();
--> statement-breakpoint
CREATE TRIGGER items_emit AFTER INSERT OR DELETE ON items FOR EACH ROW EXECUTE FUNCTION app.emit_item();
--> statement-breakpoint
CREATE TRIGGER items_emit_update AFTER UPDATE ON items FOR EACH ROW
WHEN ((OLD.status, OLD.removed_at, OLD.link_epoch, OLD.new_accounts_available)
  IS DISTINCT FROM (NEW.status, NEW.removed_at, NEW.link_epoch, NEW.new_accounts_available))
EXECUTE FUNCTION app.emit_item();
--> statement-breakpoint
CREATE TRIGGER sync_runs_emit AFTER INSERT ON sync_runs FOR EACH ROW
WHEN (NEW.outcome = 'failed' OR NEW.outcome = 'committed' AND NEW.upserted + NEW.removed > 0
  AND NEW.product NOT IN ('item', 'transactions'))
EXECUTE FUNCTION app.emit_run();
--> statement-breakpoint
-- Keeps the newest p_keep deliveries of an endpoint, and those that are pending.
CREATE FUNCTION app.trim_deliveries(p_endpoint uuid, p_keep integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_count bigint;
BEGIN
  DELETE FROM public.webhook_deliveries d WHERE d.state <> 'pending' AND d.id = ANY (ARRAY(
    SELECT o.id FROM public.webhook_deliveries o WHERE o.endpoint_id = p_endpoint
    ORDER BY o.created_at DESC, o.id DESC OFFSET greatest(p_keep, 1000) LIMIT 5000));
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
$$;
--> statement-breakpoint
-- Adds both tables to those of app.erase_rows, and deliveries to the classes of app.retention_rule. The lists of other tables
-- stay as they are.
DO $$
DECLARE
  v_added record;
  v_before text;
  v_after text;
BEGIN
  FOR v_added IN SELECT * FROM (VALUES
    ('app.erase_rows(uuid, text, integer)', '''sync_staging'', ''investment_staging'',',
      '''webhook_deliveries'', ''webhook_endpoints'', ''sync_staging'', ''investment_staging'','),
    ('app.retention_rule(text)', '(''webhook_events'', ''rows'',',
      $rule$('webhook_deliveries', 'rows', 'public.webhook_deliveries', 'r.created_at < $1', 7),
    ('webhook_events', 'rows',$rule$)
  ) AS a (function, place, text) LOOP
    v_before := pg_get_functiondef(v_added.function::regprocedure);
    v_after := replace(v_before, v_added.place, v_added.text);
    IF v_after = v_before THEN
      RAISE EXCEPTION '% has no list to extend', v_added.function;
    END IF;
    EXECUTE v_after;
  END LOOP;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.has_listener(uuid), app.emit_event(uuid, uuid, text, jsonb), app.emit_changes(), app.emit_item(),
  app.emit_run(), app.emit_erased(), app.trim_deliveries(uuid, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.trim_deliveries(uuid, integer) TO wn_jobs;
--> statement-breakpoint
SELECT app.let_backup_read();
