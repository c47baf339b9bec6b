ALTER TABLE "item_products" ADD COLUMN "is_stopped" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- Whether background reads of a product end in a state of its item (src/item-status.ts; a test compares them).
CREATE FUNCTION app.is_stopped(p_status text, p_product text) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
  SELECT p_status IN ('relink_required', 'revoked', 'removing', 'removed')
    OR p_status IN ('needs_update', 'bank_action_required') AND p_product <> 'item'
$$;
--> statement-breakpoint
-- Locks the item, so that a state that changes at the same moment is not missed.
CREATE FUNCTION app.stop_new_product() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT app.is_stopped(i.status, NEW.product) INTO NEW.is_stopped FROM public.items i WHERE i.id = NEW.item_id FOR SHARE;
  NEW.is_stopped := coalesce(NEW.is_stopped, false);
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE FUNCTION app.stop_products() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE public.item_products p SET is_stopped = app.is_stopped(NEW.status, p.product)
  WHERE p.item_id = NEW.id AND p.is_stopped <> app.is_stopped(NEW.status, p.product);
  RETURN NULL;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.is_stopped(text, text), app.stop_new_product(), app.stop_products() FROM PUBLIC;
--> statement-breakpoint
CREATE TRIGGER item_products_stopped BEFORE INSERT ON item_products FOR EACH ROW EXECUTE FUNCTION app.stop_new_product();
--> statement-breakpoint
CREATE TRIGGER items_stop_products AFTER UPDATE OF status ON items FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
EXECUTE FUNCTION app.stop_products();
