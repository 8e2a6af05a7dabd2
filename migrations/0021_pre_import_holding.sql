-- A file of tickets takes its seats in portions, so that nobody who buys waits for a large one; what was taken is given back if a
-- seat turns out to be somebody else's by then.

ALTER TABLE imports
  ADD COLUMN held integer NOT NULL DEFAULT 0, -- up to which row of the file seats are held
  DROP CONSTRAINT imports_state_check,
  ADD CONSTRAINT imports_state_check
    CHECK (state IN ('receiving', 'staged', 'holding', 'releasing', 'applying', 'done', 'refused'));
DROP INDEX imports_one_applying;
CREATE UNIQUE INDEX imports_one_applying ON imports (tenant_id, event_id) WHERE state IN ('holding', 'releasing', 'applying');
DROP INDEX imports_waiting;
CREATE INDEX imports_waiting ON imports (updated_at) WHERE state NOT IN ('done', 'refused');
