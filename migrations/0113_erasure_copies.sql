ALTER TABLE "erasures" ADD COLUMN "copied_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "erasures_uncopied" ON "erasures" USING btree ("requested_at") WHERE copied_at is null;
--> statement-breakpoint
GRANT UPDATE (copied_at) ON erasures TO wn_jobs;
