-- How the installation stands, over all tenants, for whoever watches it: counts and ages only.

-- name: queues
SELECT
  (SELECT count(*) FROM outbox) AS outbox_entries,
  coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM outbox ORDER BY id LIMIT 1), 0)::float8
    AS outbox_oldest_s,
  coalesce((SELECT sum(seq) FROM feed_heads), 0)::bigint AS feed_entries,
  (SELECT count(*) FROM facts WHERE parked_at IS NULL) AS facts_waiting,
  greatest(0, coalesce((SELECT extract(epoch FROM $1::timestamptz - occurred_at) FROM facts
    WHERE parked_at IS NULL ORDER BY id LIMIT 1), 0))::float8 AS facts_oldest_s,
  (SELECT count(*) FROM facts WHERE parked_at IS NOT NULL) AS facts_parked,
  (SELECT count(*) FROM refused_messages) AS messages_refused,
  (SELECT count(*) FROM reservations WHERE state = 'pending') AS reservations_pending,
  (SELECT count(*) FROM reservations WHERE state = 'pending' AND expires_at <= $1::timestamptz) AS reservations_overdue;

-- name: gates
-- A gate sends a heartbeat every few seconds; one that was not heard of for a minute is offline or off.
WITH going AS (
  SELECT tenant_id, id FROM events
  WHERE (policy #>> '{window,ends}')::timestamptz > $1::timestamptz - interval '1 day' AND state <> 'cancelled'
), present AS (
  SELECT coalesce(gate.last_seen_at > $1::timestamptz - interval '1 minute', false) AS heard,
    coalesce((gate.heartbeat ->> 'backlog')::bigint, 0) AS backlog,
    coalesce((gate.heartbeat ->> 'scans_per_minute')::float8, 0) AS pace
  FROM gates AS gate JOIN going ON (gate.tenant_id, gate.event_id) = (going.tenant_id, going.id)
  WHERE gate.kind <> 'server' AND gate.revoked_at IS NULL
)
SELECT count(*) FILTER (WHERE heard) AS gates_heard, count(*) FILTER (WHERE NOT heard) AS gates_silent,
  coalesce(sum(backlog), 0)::bigint AS gates_backlog, coalesce(max(backlog), 0) AS gates_backlog_max,
  coalesce(sum(pace) FILTER (WHERE heard), 0) AS gates_scans_per_minute
FROM present;

-- name: modes
-- What the gates that were heard of say of themselves: one on hold looks at no codes, whatever its line.
SELECT CASE
    WHEN (gate.heartbeat #>> '{vitals,held}')::boolean THEN 'held'
    ELSE coalesce(gate.heartbeat #>> '{vitals,mode}', 'untold')
  END AS mode, count(*) AS number
FROM gates AS gate JOIN events AS event ON (event.tenant_id, event.id) = (gate.tenant_id, gate.event_id)
WHERE (event.policy #>> '{window,ends}')::timestamptz > $1::timestamptz - interval '1 day' AND event.state <> 'cancelled'
  AND gate.kind <> 'server' AND gate.revoked_at IS NULL AND gate.last_seen_at > $1::timestamptz - interval '1 minute'
GROUP BY 1;

-- name: assets
SELECT state, count(*) AS number FROM nft_assets GROUP BY state;

-- name: asset_age
-- Of those with something to be done now.
SELECT greatest(0, coalesce(extract(epoch FROM $1::timestamptz - min(wished_at)), 0))::float8
FROM nft_assets WHERE action IS NOT NULL;

-- name: key_horizon
-- Of events with keys: those of one that is far away are made when it comes closer.
SELECT min(reach)::float8 FROM (
  SELECT extract(epoch FROM max(epoch.ends) - $1::timestamptz) AS reach
  FROM event_epochs AS epoch JOIN events AS event ON (event.tenant_id, event.id) = (epoch.tenant_id, epoch.event_id)
  WHERE (event.policy #>> '{window,ends}')::timestamptz > $1::timestamptz AND event.state <> 'cancelled'
  GROUP BY epoch.tenant_id, epoch.event_id
) AS reaches;

-- name: conflicts
SELECT severity, count(*) AS number FROM conflicts WHERE state IN ('open', 'acknowledged') GROUP BY severity;
