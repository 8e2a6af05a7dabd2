-- What PostgreSQL does once, at the first start of its container; `tickettoken secrets` fills the passwords in.
CREATE ROLE tt_owner LOGIN CREATEROLE PASSWORD '$owner';
CREATE ROLE tt_app LOGIN PASSWORD '$app';
CREATE ROLE tt_worker LOGIN PASSWORD '$worker';
CREATE DATABASE tickettoken OWNER tt_owner;
