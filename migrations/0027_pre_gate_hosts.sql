-- Another machine in a gate's place, and two that say they are one.

ALTER TABLE enrolment_codes ADD COLUMN for_gate uuid; -- the gate whose place the new machine takes; NULL: a new gate
ALTER TABLE gates
  ADD COLUMN alarm    text CHECK (length(alarm) <= 100), -- what was wrong with this gate's log last, a problem's code
  ADD COLUMN alarm_at timestamptz;
