"""The admission rule as a table: what is known, what happened before, the policy, the place, the time, and the answer.

Every answer is written by hand. Times are minutes after doors (18:00); what a row does not say is as in ``make_admission``.
"""

from __future__ import annotations

from typing import Any

# (name, expected, deviations): expected is a reason, "+" before it meaning that the person passes.
Row = tuple[str, str, dict[str, Any]]


E60 = {"passages": [("in", "north", 60)]}
E10 = {"passages": [("in", "north", 10)]}
E10_SOUTH = {"passages": [("in", "south", 10)]}
OUT20 = {"passages": [("in", "north", 10), ("out", "south", 20)]}
TWICE = {"passages": [("in", "north", 10), ("out", "south", 20), ("in", "north", 30), ("out", "south", 40)]}
RE_ENTRY = {"policy": {"re_entries": 1, "exits": True}}
UNLIMITED = {"policy": {"re_entries": None, "exits": True}}
EXIT = {"policy": {"exits": True}, "place": {"gate": "south", "direction": "exit"}}
PAPER = {"static_code": True}
STAFF = {"unknown": "supervisor"}
UNSEEN_ONLINE_ONLY = {"facts": {"known": False}, "policy": {"unknown": "online_only"}}
TWO_IN = {"passages": [("in", "north", 10), ("in", "south", 10), ("out", "south", 20)]}
ONLINE_ONLY = {"code_policy": 4}
OLD = {"place": {"data_age_s": 3601}}
AREA_TEN = {"area_limits": [{"gates": ["north", "south"], "capacity": 10}]}
AREA_SHUT = {"area_limits": [{"gates": ["north", "south"], "capacity": 0}]}
AREA_ELSEWHERE = {"area_limits": [{"gates": ["south"], "capacity": 10}]}
HERE_TEN = {"gate_limits": [{"gate": "north", "capacity": 10}]}
HERE_NONE = {"gate_limits": [{"gate": "north", "capacity": 0}]}
UNSURE = {"policy": {"unsure_after_s": 30}}

IDENTITY: list[Row] = [
    ("a known active ticket", "+ok", {}),
    ("a transferred ticket", "+ok", {"facts": {"state": "transferred"}}),
    ("a replaced generation", "transferred_or_reissued", {"facts": {"superseded": True}}),
    ("a replaced generation that is revoked too", "transferred_or_reissued", {"facts": {"superseded": True, "state": "revoked"}}),
    ("paper where the policy has none", "static_code_refused", {"facts": PAPER}),
    ("paper where the policy allows it", "+ok", {"facts": PAPER, "policy": {"static_codes": True}}),
    ("unknown, admitted by policy", "+ok", {"facts": {"known": False}}),
    ("unknown, only online, offline", "unknown_ticket", UNSEEN_ONLINE_ONLY),
    ("unknown, only online, online", "+ok", UNSEEN_ONLINE_ONLY | {"place": {"online": True}}),
    ("unknown, for a supervisor", "supervisor_required", {"facts": {"known": False}, "policy": STAFF}),
    ("known, unknown ones for a supervisor", "+ok", {"policy": STAFF}),
]  # fmt: skip

STATE: list[Row] = [
    ("not sold", "unpaid", {"facts": {"state": "available"}}),
    ("reserved", "unpaid", {"facts": {"state": "reserved"}}),
    ("sold but not issued", "unpaid", {"facts": {"state": "sold"}}),
    ("minted but not issued", "unpaid", {"facts": {"state": "minted"}}),
    ("revoked", "revoked", {"facts": {"state": "revoked"}}),
    ("revoked comes before used", "revoked", {"facts": {"state": "revoked"}} | E10),
    ("revoked comes before locked", "revoked", {"facts": {"state": "revoked", "locked": True}}),
    ("refunded", "refunded", {"facts": {"state": "refunded"}}),
    ("cancelled", "cancelled", {"facts": {"state": "cancelled"}}),
    ("expired", "expired", {"facts": {"state": "expired"}}),
    ("locked", "locked", {"facts": {"locked": True}}),
    ("locked comes before used", "locked", {"facts": {"locked": True, "state": "used"}}),
    ("used, where is not known", "already_used", {"facts": {"state": "used"}}),
    ("used here", "already_used", {"facts": {"state": "used"}} | E10),
    ("used elsewhere", "already_used_elsewhere", {"facts": {"state": "used"}} | E10_SOUTH),
]  # fmt: skip

PLACE: list[Row] = [
    ("a product this gate does not serve", "wrong_product", {"place": {"products": [1, 2]}}),
    ("a product this gate serves", "+ok", {"place": {"products": [3]}}),
    ("a zone this gate does not lead to", "wrong_zone", {"place": {"zones": 0b10}}),
    ("one zone of several", "+ok", {"place": {"zones": 0b110}}),
    ("no zone at a gate for some", "wrong_zone", {"facts": {"zones": 0}, "place": {"zones": 1}}),
    ("no zone at a gate for all", "+ok", {"facts": {"zones": 0}}),
    ("state comes before place", "revoked", {"facts": {"state": "revoked"}, "place": {"products": [1]}}),
    ("place comes before window", "wrong_product", {"place": {"products": [1]}, "minutes": -1}),
]  # fmt: skip

WINDOW: list[Row] = [
    ("a moment before doors", "not_yet_valid", {"minutes": -0.001}),
    ("at doors", "+ok", {"minutes": 0}),
    ("in the last moment of grace", "+ok", {"minutes": 419.999}),
    ("at the end of grace", "expired", {"minutes": 420}),
    ("before the ticket's own hours", "not_yet_valid", {"facts": {"valid_from": 61}}),
    ("at the start of its own hours", "+ok", {"facts": {"valid_from": 60}}),
    ("just within its own hours", "+ok", {"facts": {"valid_until": 60.001}}),
    ("at the end of its own hours", "expired", {"facts": {"valid_until": 60}}),
    ("own hours do not open the doors", "not_yet_valid", {"facts": {"valid_from": -60}, "minutes": -30}),
    ("own hours do not lengthen the evening", "expired", {"facts": {"valid_until": 900}, "minutes": 420}),
    (
        "doors open by the server's time, the gate's clock ahead",
        "not_yet_valid",
        {"minutes": 9, "place": {"ahead_s": 600}},
    ),
    ("doors open by the server's time, the gate's clock behind", "+ok", {"minutes": -9, "place": {"ahead_s": -600}}),
    ("the evening ends by the server's time", "expired", {"minutes": 419, "place": {"ahead_s": -60}}),
    ("window comes before counts", "expired", {"minutes": 420} | E10),
]

COUNTS: list[Row] = [
    ("seen again at once", "double_read", {"minutes": 60.08} | E60),
    ("seen again at once, clock set back", "double_read", {"minutes": 59.95} | E60),
    ("seen again after five seconds", "already_used", {"minutes": 60.0834} | E60),
    ("seen at once at another gate", "already_used_elsewhere", {"passages": [("in", "south", 60)]}),
    ("used at this gate", "already_used", E10),
    ("used at another gate", "already_used_elsewhere", E10_SOUTH),
    ("out again, no re-entry", "already_used", {"policy": {"exits": True}} | OUT20),
    ("an exit alone means an entry unseen", "already_used", {"policy": {"exits": True}, "passages": [("out", "south", 20)]}),
    ("re-entry means nothing where nobody is scanned out", "already_used", {"policy": {"re_entries": None}} | E10),
    ("inside, re-entry allowed", "must_exit_first", RE_ENTRY | E10),
    ("out, re-entry allowed", "+ok_reentry", RE_ENTRY | OUT20),
    ("out twice, one re-entry allowed", "limit_reached", RE_ENTRY | TWICE),
    ("out twice, no limit", "+ok_reentry", UNLIMITED | TWICE),
    ("the ticket's own number is higher", "+ok_reentry", {"facts": {"entries": 3}} | RE_ENTRY | TWICE),
    ("the ticket's own number is lower", "already_used", {"facts": {"entries": 1}} | UNLIMITED | OUT20),
    ("two in, one out", "must_exit_first", UNLIMITED | TWO_IN),
    ("inside by the server's word, one entry", "already_used", {"facts": {"state": "checked_in"}}),
    ("inside by the server's word, re-entry allowed", "must_exit_first", {"facts": {"state": "checked_in"}} | RE_ENTRY),
    ("known to be out, state not yet told", "+ok_reentry", {"facts": {"state": "checked_in"}} | RE_ENTRY | OUT20),
    ("cool-down", "cooldown", {"policy": {"re_entries": 1, "exits": True, "cooldown_s": 2401}} | OUT20),
    ("cool-down over", "+ok_reentry", {"policy": {"re_entries": 1, "exits": True, "cooldown_s": 2400}} | OUT20),
    ("no cool-down, clock set back since the exit", "+ok_reentry", RE_ENTRY | OUT20 | {"minutes": 19.9}),
    ("perhaps copied", "clone_suspected", {"facts": {"suspect": True}}),
    ("perhaps copied, refused", "clone_refused", {"facts": {"suspect": True}, "policy": {"when_cloned": "refuse"}}),
    ("perhaps copied, seen again at once", "double_read", {"facts": {"suspect": True}, "minutes": 60.08} | E60),
    ("perhaps copied comes before used", "clone_suspected", {"facts": {"suspect": True}} | E10),
    ("revoked comes before perhaps copied", "revoked", {"facts": {"suspect": True, "state": "revoked"}}),
    ("full", "capacity_full", {"policy": {"capacity": 10}, "place": {"inside": 10}}),
    ("one place left", "+ok", {"policy": {"capacity": 10}, "place": {"inside": 9}}),
    ("full as far as anybody counts", "+ok", {"policy": {"capacity": 10}}),
    ("full behind two gates", "capacity_full", {"policy": AREA_TEN, "place": {"bodies": {"north": 4, "south": 6}}}),
    ("room behind two gates", "+ok", {"policy": AREA_TEN, "place": {"bodies": {"north": 12, "south": -3}}}),
    ("full in another area", "+ok", {"policy": AREA_ELSEWHERE, "place": {"bodies": {"north": 4, "south": 99}}}),
    ("no room in the house", "capacity_full", {"policy": {"capacity": 0}, "place": {"inside": 0}}),
    ("no room behind this gate", "capacity_full", {"policy": HERE_NONE, "place": {"behind": 0}}),
    ("no room behind two gates", "capacity_full", {"policy": AREA_SHUT, "place": {"bodies": {}}}),
    ("no room, and more went out than in", "capacity_full", {"policy": AREA_SHUT, "place": {"bodies": {"south": -1}}}),
    ("nobody counts by gate", "+ok", {"policy": AREA_TEN}),
    ("full behind this gate", "capacity_full", {"policy": HERE_TEN, "place": {"behind": 10}}),
    ("room behind this gate", "+ok", {"policy": HERE_TEN, "place": {"behind": 9, "inside": 500}}),
    ("another gate is full", "+ok", {"policy": HERE_TEN, "place": {"gate": "south", "behind": 10}}),
    ("taken back", "+ok", {"passages": [("in", "north", 10), ("undo", "north", 24)]}),
    ("taken back in the last moment", "+ok", {"passages": [("in", "north", 10), ("undo", "north", 25)]}),
    ("taken back too late", "already_used", {"passages": [("in", "north", 10), ("undo", "north", 25.001)]}),
    ("taken back by another gate", "already_used_elsewhere", {"passages": [("in", "south", 10), ("undo", "north", 20)]}),
    ("a way back in taken back", "+ok_reentry", RE_ENTRY | {"passages": [*TWICE["passages"][:3], ("undo", "north", 31)]}),
    ("a way out taken back", "must_exit_first", RE_ENTRY | {"passages": [*OUT20["passages"], ("undo", "south", 21)]}),
    ("used comes before full", "already_used", {"policy": {"capacity": 10}, "place": {"inside": 10}} | E10),
]  # fmt: skip

DOUBTS: list[Row] = [
    ("to be confirmed online, offline", "supervisor_required", {"facts": ONLINE_ONLY}),
    ("to be confirmed online, online", "+ok", {"facts": ONLINE_ONLY, "place": {"online": True}}),
    ("identity by policy", "id_check_required", {"policy": {"id_check": True}}),
    ("identity by the code", "id_check_required", {"facts": {"code_policy": 2}}),
    ("old knowledge, warned of", "+ok", OLD | {"policy": {"stale_after_s": 3600}}),
    ("old knowledge, by supervisor", "supervisor_required", OLD | {"policy": {"stale_after_s": 3600, "when_stale": "supervisor"}}),
    ("old knowledge, refused", "snapshot_too_old", OLD | {"policy": {"stale_after_s": 3600, "when_stale": "refuse"}}),
    ("knowledge just young enough", "+ok", OLD | {"policy": {"stale_after_s": 3601, "when_stale": "refuse"}}),
    ("old knowledge, server in reach", "+ok",
     {"place": {"data_age_s": 3601, "online": True}, "policy": {"stale_after_s": 3600, "when_stale": "refuse"}}),
    ("a clock nobody can vouch for", "clock_unsure", UNSURE | {"place": {"unsure_s": 30.5}}),
    ("a clock good enough", "+ok", UNSURE | {"place": {"unsure_s": 30}}),
    ("a clock nobody asks about", "+ok", {"place": {"unsure_s": 900}}),
    ("used comes before the clock", "already_used", UNSURE | {"place": {"unsure_s": 900}} | E10),
    ("full comes before identity", "capacity_full", {"policy": {"id_check": True, "capacity": 0}, "place": {"inside": 0}}),
    ("nobody vouches for a used ticket", "already_used", {"facts": ONLINE_ONLY} | E10),
    ("nobody vouches for a revoked ticket", "revoked", {"facts": ONLINE_ONLY | {"state": "revoked"}}),
]  # fmt: skip

WAY_OUT: list[Row] = [
    ("out", "+exit_ok", EXIT | E10),
    ("out, entry unseen", "+exit_ok", EXIT),
    ("out where nobody is counted", "wrong_gate", {"place": EXIT["place"]} | E10),
    ("out, seen again at once", "double_read", EXIT | {"minutes": 20.05} | OUT20),
    ("out again later", "+exit_ok", EXIT | OUT20),
    ("out with a revoked ticket", "+exit_ok", EXIT | {"facts": {"state": "revoked"}} | E10),
    ("out with a ticket perhaps copied", "+exit_ok", EXIT | {"facts": {"suspect": True}} | E10),
    ("out after the last hour", "+exit_ok", EXIT | {"minutes": 900} | E10),
    ("out with paper the policy does not know", "static_code_refused", EXIT | {"facts": PAPER} | E10),
    ("out with paper", "+exit_ok", {"policy": {"exits": True, "static_codes": True}, "place": EXIT["place"], "facts": PAPER} | E10),
]  # fmt: skip

ROWS = IDENTITY + STATE + PLACE + WINDOW + COUNTS + DOUBTS + WAY_OUT
