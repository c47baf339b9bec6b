-- Its writers wait while the index is built, so it is not in the migration that locks the table for its new column.
CREATE INDEX "link_exchanges_open" ON "link_exchanges" USING btree ("created_at","id") WHERE state in ('started', 'exchanged');
