-- Seats are renamed and withdrawn while nobody has them.

GRANT UPDATE (label), DELETE ON seats TO tt_app;
