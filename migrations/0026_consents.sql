CREATE TABLE "consents" (
	"user_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"linking_and_sync" boolean NOT NULL,
	"insights" boolean NOT NULL,
	"product_emails" boolean NOT NULL,
	"diagnostics" boolean NOT NULL,
	"decided_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "consents_version" PRIMARY KEY("user_id","version")
);
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "not_allowed" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "consents" ADD CONSTRAINT "consents_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_rows ON consents TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
GRANT SELECT ON consents TO wn_api;
--> statement-breakpoint
-- Stores a user's decisions as the version after p_version, and what follows from them. 'done'; 'same' where they are the
-- ones that hold, also after a repeated request; 'moved' where another version came meanwhile. Keeps the newest thousand.
CREATE FUNCTION app.decide_consents(p_version integer, p_linking_and_sync boolean, p_insights boolean,
  p_product_emails boolean, p_diagnostics boolean, p_not_allowed text[]) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user uuid := app.user_id();
  v_was text[];
  v_last public.consents%ROWTYPE;
BEGIN
  SELECT not_allowed INTO STRICT v_was FROM public.users WHERE id = v_user FOR NO KEY UPDATE;
  SELECT * INTO v_last FROM public.consents WHERE user_id = v_user ORDER BY version DESC LIMIT 1;
  IF (v_last.linking_and_sync, v_last.insights, v_last.product_emails, v_last.diagnostics)
    = (p_linking_and_sync, p_insights, p_product_emails, p_diagnostics) THEN
    RETURN 'same';
  END IF;
  IF coalesce(v_last.version, 0) <> p_version THEN
    RETURN 'moved';
  END IF;
  INSERT INTO public.consents (user_id, version, linking_and_sync, insights, product_emails, diagnostics)
  VALUES (v_user, p_version + 1, p_linking_and_sync, p_insights, p_product_emails, p_diagnostics);
  DELETE FROM public.consents WHERE user_id = v_user AND version <= p_version - 1000;
  UPDATE public.users SET not_allowed = p_not_allowed WHERE id = v_user;
  -- What was missed meanwhile is read now.
  IF 'linking_and_sync' = ANY (v_was) AND p_linking_and_sync THEN
    UPDATE public.item_products SET dirty_seq = dirty_seq + 1, next_attempt_at = now() WHERE user_id = v_user;
  END IF;
  RETURN 'done';
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.decide_consents(integer, boolean, boolean, boolean, boolean, text[]) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.decide_consents(integer, boolean, boolean, boolean, boolean, text[]) TO wn_api;
