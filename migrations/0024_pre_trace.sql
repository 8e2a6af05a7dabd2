-- Which request or message queued a feed entry, for the log line that says which number it got; 32 hexadecimal digits mostly.

ALTER TABLE outbox ADD COLUMN trace text CHECK (length(trace) <= 200);
