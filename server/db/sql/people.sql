-- Names and addresses of people: what is erased, and how. Scans, states and orders stay; they hold ids alone.

-- name: erase_holders
-- Of an event that is over: gates hear no more of it. The version tells whoever read the ticket before.
WITH named AS (
  SELECT id FROM tickets WHERE tenant_id = current_tenant() AND event_id = $1 AND holder_name <> ''
  ORDER BY id LIMIT $3 FOR UPDATE
)
UPDATE tickets AS t SET holder_name = '', version = t.version + 1, updated_at = $2
FROM named WHERE t.tenant_id = current_tenant() AND t.id = named.id;

-- name: erase_ended_of_owner
UPDATE tickets SET holder_name = '', version = version + 1, updated_at = $2
WHERE tenant_id = current_tenant() AND owner_id = $1 AND holder_name <> '' AND state = ANY($3::text[]);

-- name: named_of_owner
-- Tickets that gates may still see; these change step by step, so that gates are told.
SELECT id FROM tickets
WHERE tenant_id = current_tenant() AND owner_id = $1 AND holder_name <> '' AND NOT state = ANY($2::text[]) ORDER BY id;

-- name: erase_offers_of_event
UPDATE transfers AS offer SET
  recipient_email = 'erased', message = '',
  state = CASE offer.state WHEN 'pending' THEN 'expired' ELSE offer.state END, ended_at = coalesce(offer.ended_at, $2)
FROM tickets AS t
WHERE offer.tenant_id = current_tenant() AND t.tenant_id = offer.tenant_id AND t.id = offer.ticket_id AND t.event_id = $1
  AND offer.recipient_email <> 'erased';

-- name: erase_offers_of_person
-- $1 an account, $2 an address in lower case; either may be NULL. An offer that waits for this person waits for nobody now.
UPDATE transfers SET
  recipient_email = 'erased', message = '',
  state = CASE state WHEN 'pending' THEN 'cancelled' ELSE state END, ended_at = coalesce(ended_at, $3)
WHERE tenant_id = current_tenant() AND recipient_email <> 'erased'
  AND (from_user_id = $1 OR to_user_id = $1 OR recipient_email = $2);

-- name: erase_files_of_person
DELETE FROM import_rows AS line USING imports AS file
WHERE line.tenant_id = current_tenant() AND file.tenant_id = line.tenant_id AND file.id = line.import_id
  AND file.state IN ('done', 'refused') AND line.owner_id = $1;

-- name: erase_files_of_event
DELETE FROM import_rows AS line USING imports AS file
WHERE line.tenant_id = current_tenant() AND file.tenant_id = line.tenant_id AND file.id = line.import_id AND file.event_id = $1;

-- name: mark_erased
UPDATE events SET people_erased_at = $2 WHERE tenant_id = current_tenant() AND id = $1;
