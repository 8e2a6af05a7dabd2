-- What attendees hold and hand on: seats by name in a reservation, both sides of transfers, and long lists of tickets.

-- Which seats a reservation keeps; its lines say how many of which type and at what price, seats or not.
CREATE TABLE reservation_seats (
  tenant_id      uuid NOT NULL,
  reservation_id uuid NOT NULL,
  ticket_id      uuid NOT NULL,
  PRIMARY KEY (tenant_id, reservation_id, ticket_id),
  FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservations (tenant_id, id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);
CALL protect('reservation_seats');
GRANT SELECT, INSERT ON reservation_seats TO tt_app;

-- A page far down the list is found in the index alone: the event stands beside the key and never changes.
DROP INDEX tickets_of_owner;
CREATE INDEX tickets_of_owner ON tickets (tenant_id, owner_id, id) INCLUDE (event_id);

-- Each side of the transfers in the order in which it is listed, and those whose time is over.
CREATE INDEX transfers_sent ON transfers (tenant_id, from_user_id, id);
CREATE INDEX transfers_offered ON transfers (tenant_id, recipient_email, id);
CREATE INDEX transfers_taken ON transfers (tenant_id, to_user_id, id) WHERE to_user_id IS NOT NULL;
CREATE INDEX transfers_of_ticket ON transfers (tenant_id, ticket_id, ended_at);
CREATE INDEX transfers_to_expire ON transfers (expires_at) WHERE state = 'pending';
DROP INDEX transfers_of_recipient;
GRANT SELECT (tenant_id, id, state, expires_at), UPDATE (state, ended_at) ON transfers TO tt_worker;
