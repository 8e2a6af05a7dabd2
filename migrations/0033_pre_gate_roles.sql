-- What a gate is for decides who may find a ticket by its number there: a lane's supervisor, anybody at a help desk, nobody where
-- nobody stands.

ALTER TABLE gates ADD COLUMN role text NOT NULL DEFAULT 'lane' CHECK (role IN ('lane', 'help_desk', 'unattended'));
ALTER TABLE enrolment_codes ADD COLUMN role text NOT NULL DEFAULT 'lane' CHECK (role IN ('lane', 'help_desk', 'unattended'));
