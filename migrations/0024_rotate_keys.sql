CREATE INDEX "items_key" ON "items" USING btree (split_part("access_token_sealed", '.', 2));--> statement-breakpoint
-- How many sealed second factors there are, by the id of the key that sealed them.
CREATE FUNCTION identity.totp_keys(OUT key_id text, OUT count bigint) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT split_part(a.totp_secret_sealed, '.', 2), count(*) FROM identity.accounts a
  WHERE a.totp_secret_sealed IS NOT NULL GROUP BY 1
$$;
--> statement-breakpoint
-- The next second factors, by account, that another key than p_key sealed.
CREATE FUNCTION identity.totp_of_other_keys(p_key text, p_after uuid, p_limit integer, OUT account_id uuid, OUT sealed text)
RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.id, a.totp_secret_sealed FROM identity.accounts a
  WHERE (p_after IS NULL OR a.id > p_after) AND split_part(a.totp_secret_sealed, '.', 2) <> p_key
  ORDER BY a.id LIMIT p_limit
$$;
--> statement-breakpoint
-- Replaces sealed second factors that are still what they were. Returns how many.
CREATE FUNCTION identity.replace_totp(p_accounts uuid[], p_old text[], p_new text[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  WITH replaced AS (
    UPDATE identity.accounts a SET totp_secret_sealed = r.new_value
    FROM unnest(p_accounts, p_old, p_new) AS r (account_id, old_value, new_value)
    WHERE a.id = r.account_id AND a.totp_secret_sealed = r.old_value RETURNING 1
  ) SELECT count(*) FROM replaced
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION identity.totp_keys(), identity.totp_of_other_keys(text, uuid, integer),
  identity.replace_totp(uuid[], text[], text[]) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.totp_keys(), identity.totp_of_other_keys(text, uuid, integer),
  identity.replace_totp(uuid[], text[], text[]) TO wn_identity;
