-- Which of a gate's links counts, however many server processes there are; and what the feed's trimming must know.

ALTER TABLE gates ADD COLUMN links bigint NOT NULL DEFAULT 0; -- how often it has introduced itself: the newest link is the one

CREATE FUNCTION announce_link() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
  PERFORM pg_notify('link', NEW.id || ':' || NEW.links);
  RETURN NULL;
END
$$;
CREATE TRIGGER gates_announce_link AFTER UPDATE OF links ON gates FOR EACH ROW EXECUTE FUNCTION announce_link();

GRANT SELECT (kind, heartbeat) ON gates TO tt_worker;

-- Who decided about a conflict, and what they had to say.
ALTER TABLE conflicts ADD COLUMN decided_by text, ADD COLUMN note text CHECK (length(note) <= 500);
