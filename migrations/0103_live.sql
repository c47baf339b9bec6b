-- Until when a client may listen for changes: a commit notifies the Durable Object of these users only.
ALTER TABLE "user_visits" ADD COLUMN "live_until" timestamp (3) with time zone;
--> statement-breakpoint
GRANT UPDATE (live_until) ON user_visits TO wn_api;
