ALTER TABLE "webhook_deliveries" ADD COLUMN "application_id" uuid;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD COLUMN "history" jsonb DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "application_id" uuid;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "public"."applications"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "applications_issuer" ON "applications" USING btree ("issuer");--> statement-breakpoint
CREATE INDEX "webhook_endpoints_application" ON "webhook_endpoints" USING btree ("application_id","created_at","id");--> statement-breakpoint
CREATE INDEX "webhook_endpoints_everyone" ON "webhook_endpoints" USING btree ("created_at","id") WHERE user_id is null and application_id is null;
--> statement-breakpoint
-- The application of the transaction. It is none while the transaction acts for a user.
CREATE FUNCTION app.application_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT nullif(current_setting('app.application_id', true), '')::uuid
  WHERE nullif(current_setting('app.user_id', true), '') IS NULL
$$;
--> statement-breakpoint
-- The transaction acts for the application itself, and for no user.
CREATE FUNCTION app.enter_application(p_application uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_application uuid;
BEGIN
  SELECT a.id INTO v_application FROM public.applications a WHERE a.id = p_application;
  PERFORM set_config('app.application_id', coalesce(v_application::text, ''), true),
    set_config('app.user_id', '', true), set_config('app.person', '', true);
  RETURN v_application;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.application_id(), app.enter_application(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.application_id(), app.enter_application(uuid) TO wn_api;
--> statement-breakpoint
-- A row with a user is the user's, whatever else it has. The subselect is evaluated once a statement.
CREATE POLICY application_rows ON webhook_endpoints TO wn_api
USING (user_id IS NULL AND application_id = (SELECT app.application_id()));
--> statement-breakpoint
CREATE POLICY application_rows ON webhook_deliveries TO wn_api
USING (owner_id IS NULL AND application_id = (SELECT app.application_id()));
--> statement-breakpoint
GRANT INSERT (application_id) ON webhook_endpoints TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT INSERT (application_id) ON webhook_deliveries TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT UPDATE (history) ON webhook_deliveries TO wn_jobs;
--> statement-breakpoint
-- As before, and endpoints of the applications whose issuer is the user's.
CREATE OR REPLACE FUNCTION app.has_listener(p_user uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM public.webhook_endpoints e WHERE e.user_id = p_user AND e.state = 'enabled')
    OR EXISTS (SELECT FROM public.webhook_endpoints e
      WHERE e.user_id IS NULL AND e.application_id IS NULL AND e.state = 'enabled')
    OR EXISTS (SELECT FROM public.users u JOIN public.applications a ON a.issuer = u.issuer
      JOIN public.webhook_endpoints e ON e.application_id = a.id
      WHERE u.id = p_user AND e.user_id IS NULL AND e.state = 'enabled')
$$;
--> statement-breakpoint
-- As before, and one row per endpoint of each application whose issuer is the user's. Each part finds its endpoints by an
-- index, however many other users have some.
CREATE OR REPLACE FUNCTION app.emit_event(p_user uuid, p_item uuid, p_type text, p_data jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
  WITH event AS MATERIALIZED (SELECT gen_random_uuid() AS id), listener AS (
    SELECT e.id, e.user_id, NULL::uuid AS application_id FROM public.webhook_endpoints e
    WHERE e.user_id = p_user AND e.state = 'enabled' AND coalesce(p_type = ANY (e.events), true)
    UNION ALL
    SELECT e.id, NULL, NULL FROM public.webhook_endpoints e
    WHERE e.user_id IS NULL AND e.application_id IS NULL AND e.state = 'enabled' AND coalesce(p_type = ANY (e.events), true)
    UNION ALL
    SELECT e.id, NULL, e.application_id FROM public.users u JOIN public.applications a ON a.issuer = u.issuer
      JOIN public.webhook_endpoints e ON e.application_id = a.id
    WHERE u.id = p_user AND e.user_id IS NULL AND e.state = 'enabled' AND coalesce(p_type = ANY (e.events), true)
  )
  INSERT INTO public.webhook_deliveries (event_id, endpoint_id, owner_id, application_id, user_id, item_id, type, data)
  SELECT event.id, l.id, l.user_id, l.application_id, p_user, p_item, p_type, p_data FROM event CROSS JOIN listener l
  WHERE NOT EXISTS (SELECT FROM public.users u WHERE u.id = p_user AND u.tokens_valid_from = 'infinity')
$$;
--> statement-breakpoint
-- To endpoints of administrators, and of the applications whose issuer was the user's. The subject leaves the row with the
-- last attempt.
CREATE OR REPLACE FUNCTION app.emit_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  WITH event AS MATERIALIZED (SELECT gen_random_uuid() AS id)
  INSERT INTO public.webhook_deliveries (event_id, endpoint_id, application_id, type, data)
  SELECT event.id, e.id, e.application_id, 'user.erased', jsonb_build_object('user', OLD.id, 'subject', OLD.subject)
  FROM event CROSS JOIN public.webhook_endpoints e LEFT JOIN public.applications a ON a.id = e.application_id
  WHERE e.user_id IS NULL AND (e.application_id IS NULL OR a.issuer = OLD.issuer) AND e.state = 'enabled'
    AND coalesce('user.erased' = ANY (e.events), true);
  RETURN NULL;
END
$$;
--> statement-breakpoint
SELECT app.let_backup_read();
