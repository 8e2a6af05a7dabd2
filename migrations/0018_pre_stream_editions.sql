-- A stream that the broker cannot start again keeps its name occupied; the next edition has a name of its own.

ALTER TABLE event_streams ADD COLUMN edition integer NOT NULL DEFAULT 0 CHECK (edition >= 0);
