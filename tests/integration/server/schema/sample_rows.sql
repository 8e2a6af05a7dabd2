-- One row per tenant table, for tests that attack them all. Run as the owner with app.tenant set.
INSERT INTO tenants (id, name) VALUES (current_tenant(), 'sample');
INSERT INTO venues (tenant_id, id, name) VALUES (current_tenant(), current_tenant(), 'hall');
INSERT INTO events (tenant_id, id, venue_id, name, policy, sale_starts, sale_ends, epoch_zero, reveal_at)
VALUES (current_tenant(), current_tenant(), current_tenant(), 'evening', '{}', '2026-01-01Z', '2026-02-01Z', '2026-01-01Z', '2026-01-01Z');
INSERT INTO ticket_types (tenant_id, id, event_id, product, name, price_cents, currency, total, available)
VALUES (current_tenant(), current_tenant(), current_tenant(), 1, 'seat', 100, 'EUR', 10, 10);
INSERT INTO reservations (tenant_id, id, event_id, user_id, total_cents, currency, expires_at)
VALUES (current_tenant(), current_tenant(), current_tenant(), current_tenant(), 100, 'EUR', '2026-01-02Z');
INSERT INTO reservation_lines (tenant_id, reservation_id, ticket_type_id, quantity, price_cents)
VALUES (current_tenant(), current_tenant(), current_tenant(), 1, 100);
INSERT INTO orders (tenant_id, id, reservation_id, user_id, payment_id, total_cents, currency)
VALUES (current_tenant(), current_tenant(), current_tenant(), current_tenant(), 'paid', 100, 'EUR');
INSERT INTO idempotency (tenant_id, user_id, operation, key, body_hash, status, response)
VALUES (current_tenant(), current_tenant(), 'reserve', 'sixteen-or-more-letters', '\x00', 200, '\x7b7d');
INSERT INTO tickets (tenant_id, id, event_id, ticket_type_id, order_id, owner_id, state)
VALUES (current_tenant(), current_tenant(), current_tenant(), current_tenant(), current_tenant(), current_tenant(), 'active');
INSERT INTO reservation_seats (tenant_id, reservation_id, ticket_id) VALUES (current_tenant(), current_tenant(), current_tenant());
INSERT INTO ticket_handles (tenant_id, event_id, handle_hash, ticket_id, generation)
VALUES (current_tenant(), current_tenant(), uuid_send(current_tenant()), current_tenant(), 0);
INSERT INTO ticket_history (tenant_id, ticket_id, version, to_state, generation, actor_kind, actor_id, source)
VALUES (current_tenant(), current_tenant(), 1, 'sold', 0, 'system', 'sample', 'sample');
INSERT INTO transfers (tenant_id, id, ticket_id, from_user_id, recipient_email, expires_at)
VALUES (current_tenant(), current_tenant(), current_tenant(), current_tenant(), 'ada@example.org', '2026-01-02Z');
INSERT INTO tenant_keys (tenant_id, id, kind, wrapped) VALUES (current_tenant(), 1, 'master', '\x00');
INSERT INTO event_epochs (tenant_id, event_id, epoch, starts, ends, slot_s, envelope_wrapped, issuer_wrapped, issuer_public)
VALUES (current_tenant(), current_tenant(), 0, '2026-01-01Z', '2026-01-02Z', 15, '\x00', '\x00', '\x00');
INSERT INTO outbox (tenant_id, event_id, topic, body) VALUES (current_tenant(), current_tenant(), 'feed', '\x00');
INSERT INTO feed_heads (tenant_id, event_id, seq) VALUES (current_tenant(), current_tenant(), 1);
INSERT INTO feed (tenant_id, event_id, seq, body) VALUES (current_tenant(), current_tenant(), 1, '\x00');
INSERT INTO feed_snapshots (tenant_id, event_id, id, seq, manifest)
VALUES (current_tenant(), current_tenant(), current_tenant(), 1, '\x00');
INSERT INTO feed_snapshot_chunks (tenant_id, snapshot_id, n, body) VALUES (current_tenant(), current_tenant(), 0, '\x00');
INSERT INTO gates (tenant_id, id, event_id, name, sign_public, seal_public)
VALUES (current_tenant(), current_tenant(), current_tenant(), 'north', sha256('sign'), sha256('seal'));
INSERT INTO enrolment_codes (tenant_id, code_hash, event_id, gate_name, expires_at)
VALUES (current_tenant(), sha256('code'), current_tenant(), 'north', '2026-01-02Z');
INSERT INTO gate_logs (tenant_id, gate_id, incarnation, chain)
VALUES (current_tenant(), current_tenant(), current_tenant(), sha256('chain'));
INSERT INTO scans (
  tenant_id, gate_id, incarnation, gate_seq, scan_id, event_id, ticket_id, hlc, at, direction, admitted, reason, mode, proven, body, chain
)
VALUES (
  current_tenant(), current_tenant(), current_tenant(), 1, current_tenant(), current_tenant(), current_tenant(), 1,
  '2026-01-01Z', 'entry', true, 'ok', 'online', true, '\x00', sha256('chain')
);
INSERT INTO conflicts (tenant_id, id, event_id, ticket_id, scan_id, earlier_scan_id, kind, severity, evidence)
VALUES (current_tenant(), current_tenant(), current_tenant(), current_tenant(), current_tenant(), current_tenant(), 'race', 'low', '{}');
INSERT INTO replaced_epochs (tenant_id, event_id, epoch, starts, ends, slot_s, envelope_wrapped, issuer_public, replaced_at)
VALUES (current_tenant(), current_tenant(), 0, '2026-01-01Z', '2026-01-02Z', 15, '\x00', '\x00', '2026-01-01Z');
INSERT INTO event_zones (tenant_id, event_id, bit, name) VALUES (current_tenant(), current_tenant(), 0, 'floor');
INSERT INTO seats (tenant_id, id, event_id, ticket_type_id, label)
VALUES (current_tenant(), current_tenant(), current_tenant(), current_tenant(), 'A 1');
INSERT INTO event_endings (tenant_id, event_id, kind, actor_kind, actor_id, source, started_at, updated_at)
VALUES (current_tenant(), current_tenant(), 'close', 'organiser', 'sample', 'sample', '2026-01-01Z', '2026-01-01Z');
INSERT INTO refunds_due (tenant_id, id, payment_id, ticket_id, amount_cents, currency, reason, at)
VALUES (current_tenant(), current_tenant(), 'paid', current_tenant(), 100, 'EUR', 'event_cancelled', '2026-01-01Z');
INSERT INTO imports (tenant_id, id, event_id, state, actor_id, created_at, updated_at)
VALUES (current_tenant(), current_tenant(), current_tenant(), 'applying', 'sample', '2026-01-01Z', '2026-01-01Z');
INSERT INTO import_rows (tenant_id, import_id, n, external_id, ticket_type_id, holder_name, seat)
VALUES (current_tenant(), current_tenant(), 2, 'x-1', current_tenant(), '', '');
INSERT INTO import_faults (tenant_id, import_id, n, field, code, message)
VALUES (current_tenant(), current_tenant(), 2, 'seat', 'seat_unknown', 'no such seat');
INSERT INTO imported_tickets (tenant_id, event_id, external_id, ticket_id, import_id)
VALUES (current_tenant(), current_tenant(), 'x-1', current_tenant(), current_tenant());
INSERT INTO broker_accounts (tenant_id, gate_id, password_hash)
VALUES (current_tenant(), current_tenant(), 'c2FsdGVkLWFuZC1oYXNoZWQ=');
INSERT INTO event_streams (tenant_id, event_id) VALUES (current_tenant(), current_tenant());
INSERT INTO scan_quarantine (tenant_id, gate_id, body_hash, reason, body)
VALUES (current_tenant(), current_tenant(), sha256('batch'), 'batch_tampered', '\x00');
INSERT INTO api_keys (tenant_id, id, name, secret_hash, scopes, created_by, created_at)
VALUES (current_tenant(), current_tenant(), 'turnstiles', sha256('secret'), '{tickets:validate}', current_tenant(), '2026-01-01Z');
INSERT INTO service_callers (tenant_id, name, calls, created_at)
VALUES (current_tenant(), 'orders', ARRAY['GET /internal/tickets/{ticket}'], '2026-01-01Z');
INSERT INTO service_secrets (tenant_id, caller, id, wrapped, created_at)
VALUES (current_tenant(), 'orders', current_tenant(), '\x00', '2026-01-01Z');
INSERT INTO service_nonces (tenant_id, caller, nonce, ends_at)
VALUES (current_tenant(), 'orders', 'sample-nonce-0001', '2026-01-01Z');
INSERT INTO supervisors (tenant_id, id, name, verifier, created_at)
VALUES (current_tenant(), current_tenant(), 'Ada', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', '2026-01-01Z');
INSERT INTO facts (tenant_id, message_id, key, subject, payload, occurred_at)
VALUES (current_tenant(), current_tenant(), 'ticket.created', current_tenant(), '\x7b7d', '2026-01-01Z');
INSERT INTO inbox (tenant_id, message_id, event, body_hash, outcome, received_at)
VALUES (current_tenant(), 'message', 'payment.completed', sha256('message'), 'recorded', '2026-01-01Z');
INSERT INTO payment_facts (tenant_id, payment_id, state, amount_cents, currency, told_at)
VALUES (current_tenant(), 'paid', 'completed', 100, 'EUR', '2026-01-01Z');
INSERT INTO staff_accounts (tenant_id, id, login, name, role, verifier, created_at)
VALUES (current_tenant(), current_tenant(), current_tenant()::text, 'Ada', 'admin', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', '2026-01-01Z');
INSERT INTO staff_sessions (tenant_id, id, staff_id, secret_hash, created_at, seen_at, expires_at)
VALUES (current_tenant(), current_tenant(), current_tenant(), sha256('session'), '2026-01-01Z', '2026-01-01Z', '2026-01-02Z');
INSERT INTO audit_log (tenant_id, id, at, actor_id, actor_name, action)
VALUES (current_tenant(), current_tenant(), '2026-01-01Z', 'sample', 'Ada', 'sign_in');
INSERT INTO gate_commands (tenant_id, gate_id, number, id, kind, body, created_by, created_at)
VALUES (current_tenant(), current_tenant(), 1, current_tenant(), 'resume', '\x00', 'sample', '2026-01-01Z');
INSERT INTO nft_assets (tenant_id, ticket_id, event_id, wish, wished_at)
VALUES (current_tenant(), current_tenant(), current_tenant(), 'live', '2026-01-01Z');
INSERT INTO chain_txs (tenant_id, kind, raw, signature, last_height, lamports, created_at)
VALUES (current_tenant(), 'mint', '\x00', current_tenant()::text, 1, 0, '2026-01-01Z');
INSERT INTO chain_collections (tenant_id, address, name, uri)
VALUES (current_tenant(), current_tenant()::text, 'Harbour Nights', 'https://tickets.example/m/c');
INSERT INTO chain_trees (tenant_id, address, version, depth, buffer, canopy, created_at)
VALUES (current_tenant(), current_tenant()::text, 2, 14, 64, 8, '2026-01-01Z');
INSERT INTO chain_tables (tenant_id, tree, address) VALUES (current_tenant(), current_tenant()::text, current_tenant()::text);
INSERT INTO chain_leaves (tenant_id, tree, index, asset, owner, delegate, data_hash, creator_hash, hash, seq, signature)
VALUES (
  current_tenant(), current_tenant()::text, 0, 'asset', 'owner', 'owner', sha256('data'), sha256('creators'), sha256('leaf'), 1,
  current_tenant()::text
);
