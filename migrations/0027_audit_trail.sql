CREATE TABLE "audit_chains" (
	"id" uuid PRIMARY KEY NOT NULL,
	"person" text,
	"number" bigint NOT NULL,
	"head" "bytea" NOT NULL,
	CONSTRAINT "audit_chains_person" UNIQUE("person")
);
--> statement-breakpoint
CREATE TABLE "audit_checkpoints" (
	"number" bigint PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"previous" "bytea",
	"heads" text NOT NULL,
	"key_id" text NOT NULL,
	"mac" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_links" (
	"chain" uuid NOT NULL,
	"number" bigint NOT NULL,
	"previous" "bytea",
	"audit_id" uuid NOT NULL,
	"checkpoint" bigint NOT NULL,
	"key_id" text NOT NULL,
	"mac" "bytea" NOT NULL,
	CONSTRAINT "audit_links_key" PRIMARY KEY("chain","number"),
	CONSTRAINT "audit_links_row" UNIQUE("audit_id")
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_hash" "bytea",
	"action" text NOT NULL,
	"target_kind" text NOT NULL,
	"target_id" text,
	"request_id" text NOT NULL,
	"correlation_id" text,
	"network" text,
	"key_id" text NOT NULL,
	"mac" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_people" (
	"audit_id" uuid NOT NULL,
	"part" text NOT NULL,
	"person" text NOT NULL,
	"salt" "bytea",
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "audit_people_key" PRIMARY KEY("audit_id","part"),
	CONSTRAINT "audit_people_part" CHECK ("audit_people"."part" in ('actor', 'owner'))
);
--> statement-breakpoint
CREATE TABLE "audit_prunings" (
	"chain" uuid PRIMARY KEY NOT NULL,
	"number" bigint NOT NULL,
	"head" "bytea" NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"key_id" text NOT NULL,
	"mac" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_unchained" (
	"audit_id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audit_people" ADD CONSTRAINT "audit_people_audit_id_audit_log_id_fk" FOREIGN KEY ("audit_id") REFERENCES "public"."audit_log"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_unchained" ADD CONSTRAINT "audit_unchained_audit_id_audit_log_id_fk" FOREIGN KEY ("audit_id") REFERENCES "public"."audit_log"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_log_at" ON "audit_log" USING btree ("at","id");--> statement-breakpoint
CREATE INDEX "audit_log_action" ON "audit_log" USING btree ("action","at","id");--> statement-breakpoint
CREATE INDEX "audit_log_target" ON "audit_log" USING btree ("target_id","at","id");--> statement-breakpoint
CREATE INDEX "audit_people_person" ON "audit_people" USING btree ("person","part","at","audit_id");--> statement-breakpoint
CREATE INDEX "audit_unchained_at" ON "audit_unchained" USING btree ("at","audit_id");--> statement-breakpoint
-- One text for a person. The length keeps ('ab', 'c') apart from ('a', 'bc').
CREATE FUNCTION app.person_of(p_issuer text, p_subject text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT length(p_issuer) || ':' || p_issuer || p_subject $$;
--> statement-breakpoint
-- As before, and says who the person is, whose trail the transaction may read: people have one before they are users.
CREATE OR REPLACE FUNCTION app.enter(p_issuer text, p_subject text, p_create boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user uuid;
BEGIN
  SELECT id INTO v_user FROM public.users WHERE issuer = p_issuer AND subject = p_subject;
  IF v_user IS NULL AND p_create THEN
    INSERT INTO public.users (issuer, subject) VALUES (p_issuer, p_subject)
    ON CONFLICT (issuer, subject) DO NOTHING;
    SELECT id INTO STRICT v_user FROM public.users WHERE issuer = p_issuer AND subject = p_subject;
  END IF;
  PERFORM set_config('app.user_id', coalesce(v_user::text, ''), true),
    set_config('app.person', app.person_of(p_issuer, p_subject), true);
  RETURN v_user;
END
$$;
--> statement-breakpoint
-- Records a row of the audit trail (src/db/audit/record.ts), with its people. A row that is there stays as it is.
-- `owner` is a person, or what leads to one: the id of a user or an item, or the address of a built-in account.
CREATE FUNCTION app.record_audit(p_row jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_id uuid := (p_row ->> 'id')::uuid;
  v_at timestamptz := (p_row ->> 'at')::timestamptz;
  v_actor jsonb := nullif(p_row -> 'actor', 'null');
  v_owner jsonb := nullif(p_row -> 'owner', 'null');
BEGIN
  INSERT INTO public.audit_log (id, at, actor_kind, actor_hash, action, target_kind, target_id, request_id,
    correlation_id, network, key_id, mac)
  VALUES (v_id, v_at, p_row ->> 'actorKind', decode(p_row ->> 'actorHash', 'hex'), p_row ->> 'action',
    p_row ->> 'targetKind', p_row ->> 'targetId', p_row ->> 'requestId', p_row ->> 'correlationId', p_row ->> 'network',
    p_row ->> 'keyId', decode(p_row ->> 'mac', 'hex'))
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  INSERT INTO public.audit_unchained (audit_id, at) VALUES (v_id, v_at);
  IF v_actor IS NOT NULL THEN
    INSERT INTO public.audit_people (audit_id, part, person, salt, at)
    VALUES (v_id, 'actor', app.person_of(v_actor ->> 'issuer', v_actor ->> 'subject'), decode(v_actor ->> 'salt', 'hex'), v_at);
  END IF;
  INSERT INTO public.audit_people (audit_id, part, person, at)
  SELECT v_id, 'owner', app.person_of(v_owner ->> 'issuer', v_owner ->> 'subject'), v_at WHERE v_owner ->> 'issuer' IS NOT NULL
  UNION ALL
  SELECT v_id, 'owner', app.person_of(u.issuer, u.subject), v_at FROM public.users u WHERE u.id = (v_owner ->> 'userId')::uuid
  UNION ALL
  SELECT v_id, 'owner', app.person_of(u.issuer, u.subject), v_at
  FROM public.items i JOIN public.users u ON u.id = i.user_id WHERE i.id = (v_owner ->> 'itemId')::uuid
  UNION ALL
  SELECT v_id, 'owner', app.person_of('wealthnavigator-edge', a.id::text), v_at
  FROM identity.accounts a WHERE a.email = v_owner ->> 'email';
END
$$;
--> statement-breakpoint
-- Erases a person from the trail: the rows stay, and with them the chain, which no longer says whose it is. The lock
-- waits for a run of the chaining job, which could otherwise write the person down again; no other writer has the table.
-- Returns how many rows named the person.
CREATE FUNCTION app.forget_in_audit(p_issuer text, p_subject text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_count bigint;
BEGIN
  LOCK TABLE public.audit_chains IN SHARE ROW EXCLUSIVE MODE;
  WITH gone AS (
    DELETE FROM public.audit_people WHERE person = app.person_of(p_issuer, p_subject) RETURNING audit_id
  ) SELECT count(DISTINCT audit_id) INTO v_count FROM gone;
  UPDATE public.audit_chains SET person = NULL WHERE person = app.person_of(p_issuer, p_subject);
  RETURN v_count;
END
$$;
--> statement-breakpoint
-- Refuses every change but `app.prune_audit`'s, also the owner's own by accident: a trigger does not stop an owner with
-- intent.
CREATE FUNCTION app.refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('app.pruning_audit', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'WN009';
END
$$;
--> statement-breakpoint
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION app.refuse_audit_change();
--> statement-breakpoint
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_audit_change();
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.person_of(text, text), app.record_audit(jsonb), app.forget_in_audit(text, text),
  app.refuse_audit_change() FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.record_audit(jsonb) TO wn_api, wn_jobs, wn_identity;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.forget_in_audit(text, text), app.person_of(text, text) TO wn_jobs;
--> statement-breakpoint
GRANT SELECT ON audit_log, audit_people TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT SELECT, DELETE ON audit_unchained TO wn_jobs;
--> statement-breakpoint
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE audit_people ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE audit_unchained ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_rows ON audit_people TO wn_api
USING (part = 'owner' AND person = nullif(current_setting('app.person', true), ''));
--> statement-breakpoint
CREATE POLICY own_rows ON audit_log TO wn_api USING (EXISTS (SELECT FROM audit_people p WHERE p.audit_id = id));
--> statement-breakpoint
CREATE POLICY all_rows ON audit_log TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY all_rows ON audit_people TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY all_rows ON audit_unchained TO wn_jobs USING (true);
--> statement-breakpoint
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['audit_links', 'audit_checkpoints'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION app.refuse_audit_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_audit_change()', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['audit_chains', 'audit_links', 'audit_checkpoints', 'audit_prunings'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY all_rows ON %I TO wn_jobs USING (true)', t);
  END LOOP;
END
$$;
--> statement-breakpoint
-- Deletes the rows of a chain up to a link, and leaves in their place the signature of that link. Only what is older
-- than a year: no retention is shorter, and a holder of the login cannot delete a trace of today.
CREATE FUNCTION app.prune_audit(p_chain uuid, p_number bigint, p_head bytea, p_at timestamptz, p_key_id text, p_mac bytea)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_count bigint;
BEGIN
  IF EXISTS (SELECT FROM public.audit_links k JOIN public.audit_log l ON l.id = k.audit_id
    WHERE k.chain = p_chain AND k.number <= p_number AND l.at > now() - interval '365 days') THEN
    RAISE EXCEPTION 'the audit trail keeps a year' USING ERRCODE = 'WN009';
  END IF;
  INSERT INTO public.audit_prunings (chain, number, head, at, key_id, mac)
  VALUES (p_chain, p_number, p_head, p_at, p_key_id, p_mac)
  ON CONFLICT (chain) DO UPDATE SET number = excluded.number, head = excluded.head, at = excluded.at,
    key_id = excluded.key_id, mac = excluded.mac
  WHERE audit_prunings.number < excluded.number;
  PERFORM set_config('app.pruning_audit', 'on', true);
  DELETE FROM public.audit_log l USING public.audit_links k
  WHERE k.chain = p_chain AND k.number <= p_number AND l.id = k.audit_id;
  DELETE FROM public.audit_links WHERE chain = p_chain AND number <= p_number;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  PERFORM set_config('app.pruning_audit', '', true);
  RETURN v_count;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.prune_audit(uuid, bigint, bytea, timestamptz, text, bytea) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.prune_audit(uuid, bigint, bytea, timestamptz, text, bytea) TO wn_jobs;
--> statement-breakpoint
GRANT SELECT, INSERT ON audit_links, audit_checkpoints TO wn_jobs;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE (number, head) ON audit_chains TO wn_jobs;
--> statement-breakpoint
GRANT SELECT ON audit_prunings TO wn_jobs;
