-- What the worker role must see to say how the installation stands: counts and ages, no names, no keys, no evidence.

GRANT SELECT (last_seen_at) ON gates TO tt_worker;
GRANT SELECT (state, severity) ON conflicts TO tt_worker;
GRANT SELECT (tenant_id, event_id, ends) ON event_epochs TO tt_worker;

CREATE INDEX conflicts_unsettled ON conflicts (severity) WHERE state IN ('open', 'acknowledged');
