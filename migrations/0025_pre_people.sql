-- Erasing people's names and addresses once an event is long over, and finding what is theirs.

ALTER TABLE events ADD COLUMN people_erased_at timestamptz; -- when nothing personal was left of it

CREATE INDEX tickets_named ON tickets (tenant_id, event_id) WHERE holder_name <> '';
