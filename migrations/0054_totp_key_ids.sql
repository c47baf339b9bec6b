CREATE INDEX "accounts_totp_key" ON "identity"."accounts" USING btree (split_part("totp_secret_sealed", '.', 2)) WHERE totp_secret_sealed is not null;--> statement-breakpoint
-- The ids of the keys that sealed second factors, with one step of the index for each key.
CREATE FUNCTION identity.totp_key_ids(OUT id text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE keys (id) AS (
    (SELECT split_part(a.totp_secret_sealed, '.', 2) FROM identity.accounts a WHERE a.totp_secret_sealed IS NOT NULL
      ORDER BY split_part(a.totp_secret_sealed, '.', 2) LIMIT 1)
    UNION ALL
    SELECT (SELECT split_part(a.totp_secret_sealed, '.', 2) FROM identity.accounts a
      WHERE a.totp_secret_sealed IS NOT NULL AND split_part(a.totp_secret_sealed, '.', 2) > keys.id
      ORDER BY split_part(a.totp_secret_sealed, '.', 2) LIMIT 1)
    FROM keys WHERE keys.id IS NOT NULL
  ) SELECT keys.id FROM keys WHERE keys.id IS NOT NULL
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION identity.totp_key_ids() FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.totp_key_ids() TO wn_identity;
