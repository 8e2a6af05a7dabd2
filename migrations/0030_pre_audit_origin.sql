-- Since calls and commands are noted beside the operations page: by which way something was asked for, and which trace it left.

ALTER TABLE audit_log
  ADD COLUMN via   text CHECK (via IN ('page', 'api', 'command', 'system')), -- NULL: noted before ways were told apart
  ADD COLUMN trace text CHECK (length(trace) <= 200);                        -- 32 hexadecimal digits mostly
