"""Ready-made rules are whole policies, differ where it matters, and can be changed field by field."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from shared.admission.policy import Policy, Stale, Unknown
from shared.admission.presence import fold
from shared.admission.rule import decide
from shared.admission.templates import TEMPLATES, PolicyChanges, Template, change_policy, make_policy
from shared.admission.verdict import Reason
from tests.unit.shared.samples import NOW, facts, leaving, passage, place, policy

WINDOW = policy().window


def answer(template: Template, **known: object) -> Reason:
    """Return what a template's rules say of somebody who was in, went out and comes back half an hour later."""
    before = fold([passage(10), leaving(20)])
    return decide(facts(**known), before, make_policy(template, WINDOW), place(), NOW).reason


def test_every_kind_of_event_has_rules_and_changes_name_every_rule() -> None:
    assert set(TEMPLATES) == set(Template)
    rules = set(Policy.__struct_fields__) - {"version", "window"}
    assert set(PolicyChanges.__struct_fields__) == rules


@pytest.mark.parametrize("template", Template)
def test_rules_of_each_kind_survive_the_wire(template: Template) -> None:
    made = make_policy(template, WINDOW, version=3)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=Policy) == made
    assert (made.version, made.window) == (3, WINDOW)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (Template.STANDARD, Reason.ALREADY_USED),
        (Template.CONCERT, Reason.ALREADY_USED),
        (Template.CLUB, Reason.OK_REENTRY),
        (Template.FESTIVAL, Reason.OK_REENTRY),
        (Template.CONFERENCE, Reason.OK_REENTRY),
        (Template.VIP, Reason.ALREADY_USED),
    ],
)
def test_coming_back_is_allowed_where_the_kind_says_so(template: Template, expected: Reason) -> None:
    assert answer(template) is expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (Template.STANDARD, Reason.OK),
        (Template.CLUB, Reason.UNKNOWN_TICKET),
        (Template.VIP, Reason.SUPERVISOR_REQUIRED),
    ],
)
def test_tickets_sold_after_the_list_are_treated_as_the_kind_says(template: Template, expected: Reason) -> None:
    made = make_policy(template, WINDOW)
    assert decide(facts(known=False), fold([]), made, place(), NOW).reason is expected


def test_paper_counts_at_festivals_and_conferences_only() -> None:
    allowed = {template for template in Template if make_policy(template, WINDOW).static_codes}
    assert allowed == {Template.FESTIVAL, Template.CONFERENCE}


def test_one_change_leaves_the_rest_as_it_was() -> None:
    festival = make_policy(Template.FESTIVAL, WINDOW)
    changed = change_policy(festival, PolicyChanges(re_entries=0), version=2)
    assert changed == msgspec.structs.replace(festival, re_entries=0, version=2)


def test_none_is_a_change_and_nothing_given_is_none() -> None:
    limited = policy(capacity=100)
    assert change_policy(limited, PolicyChanges(capacity=None), version=2).capacity is None
    assert change_policy(limited, PolicyChanges(), version=2).capacity == 100


def test_changes_are_read_from_json_and_strangers_refused() -> None:
    changes = msgspec.json.decode(b'{"reEntries":null,"whenStale":"refuse","unknown":"supervisor"}', type=PolicyChanges)
    made = change_policy(policy(), changes, version=9)
    assert (made.re_entries, made.when_stale, made.unknown) == (None, Stale.REFUSE, Unknown.SUPERVISOR)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"reEntry":1}', type=PolicyChanges)


def test_a_cut_off_club_asks_a_supervisor_after_an_hour() -> None:
    club = make_policy(Template.CLUB, WINDOW)
    young, old = (place(data_age_s=age_s) for age_s in (3600, 3601))
    late = NOW + timedelta(minutes=1)
    assert decide(facts(), fold([]), club, young, late).reason is Reason.OK
    assert decide(facts(), fold([]), club, old, late).reason is Reason.SUPERVISOR_REQUIRED
