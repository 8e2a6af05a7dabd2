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

-- name: erase_answers_of_person
-- Answers kept for repeated calls, of this account and of others to whom they told of it: the call stays done, and its answer is
-- empty from now on. Whatever names a ticket of the account may bear its name as well.
WITH kept AS (
  SELECT user_id, operation, key, lower(convert_from(response, 'UTF8')) AS told
  FROM idempotency WHERE tenant_id = current_tenant() AND response <> '' ORDER BY user_id, operation, key FOR UPDATE
)
UPDATE idempotency AS answer SET response = ''
FROM kept
WHERE answer.tenant_id = current_tenant() AND (answer.user_id, answer.operation, answer.key) = (kept.user_id, kept.operation, kept.key)
  AND (kept.user_id = $1 OR strpos(kept.told, $1::text) > 0 OR strpos(kept.told, $2) > 0 OR EXISTS (
    SELECT FROM tickets AS t WHERE t.tenant_id = current_tenant() AND t.owner_id = $1 AND strpos(kept.told, t.id::text) > 0
  ));

-- name: erase_files_of_person
DELETE FROM import_rows AS line USING imports AS file
WHERE line.tenant_id = current_tenant() AND file.tenant_id = line.tenant_id AND file.id = line.import_id
  AND file.state IN ('done', 'refused') AND line.owner_id = $1;

-- name: erase_files_of_event
DELETE FROM import_rows AS line USING imports AS file
WHERE line.tenant_id = current_tenant() AND file.tenant_id = line.tenant_id AND file.id = line.import_id AND file.event_id = $1;

-- name: mark_erased
UPDATE events SET people_erased_at = $2 WHERE tenant_id = current_tenant() AND id = $1;
