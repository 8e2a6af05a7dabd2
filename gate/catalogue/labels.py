"""The names of everything that is written on the screen besides answers; each language fills all of them in."""

from __future__ import annotations

from msgspec import Struct


class Labels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything else that is written on the screen; braces mark what is filled in."""

    ready: str
    ready_no_camera: str
    ready_no_tickets: str
    revoked: str
    revoked_action: str
    tickets: str
    prior: str
    prior_unplaced: str
    again: str
    next: str
    admitted: str
    exited: str
    refused: str
    per_minute: str
    inside: str
    decimal: str
    online: str
    offline: str
    login_page: str
    data_age: str
    data_never: str
    backlog: str
    backlog_none: str
    keys_until: str
    keys_days: str
    keys_over: str
    keys_none: str
    clock_fine: str
    clock_off: str
    clock_unknown: str
    camera: str
    camera_off: str
    recent: str
    recent_none: str
    muted: str
    second: str
    minute: str
    hour: str
    day: str
    weekdays: tuple[str, str, str, str, str, str, str]
    help_title: str
    help_close: str
    quit_title: str
    quit_text: str
    quit_yes: str
    quit_no: str
    code_title: str
    code_hint: str
    code_failed: str
    reader_torn: str
    drill: str
    guest: str
    supervised: str
    taken_back: str
    turnstile_stuck: str
    turnstile_unused: str
    turnstile_taken_back: str
    turnstile_doubted: str
    turnstile: str


class StaffLabels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written where people do more than scan; braces mark what is filled in."""

    pin_title: str
    pin_who: str
    pin_hint: str
    pin_wrong: str
    pin_locked: str
    pin_nobody: str
    menu_title: str
    menu_override: str
    menu_undo: str
    menu_find: str
    menu_sign_out: str
    choice_hint: str
    which_refusal: str
    which_admission: str
    why_override: str
    why_undo: str
    nothing_refused: str
    nothing_to_undo: str
    signed_out: str
    signed_in: str
    failed: str
    peek_title: str
    peek_text: str
    peek_hint: str
    peek_number_hint: str
    peek_would: str
    peek_would_not: str
    peek_number: str
    peek_state: str
    peek_on_hold: str
    peek_not_known: str
    peek_never: str
    peek_passage: str
    peek_by_supervisor: str
    peek_admit: str
    closed_text: str
    closed_action: str
    held_action: str
    notice_title: str
    notice_hint: str
    settings_title: str
    sound: str
    sound_on: str
    sound_off: str
    language: str
    keys_file: str
    page_hint: str
    history_title: str
    history_none: str
    history_hint: str
    history_record: str
    ended_taken_back: str
    ended_let_in: str
    ended_overridden: str
    may_override: str
    may_undo: str


class PageLabels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lines of the two pages about the event and about the link, and of the night's end."""

    info_title: str
    event: str
    gate: str
    way_in: str
    way_out: str
    zones: str
    products: str
    all: str
    doors: str
    starts: str
    ends: str
    re_entry: str
    re_entry_none: str
    re_entry_some: str
    re_entry_free: str
    cooldown: str
    capacity: str
    capacity_here: str
    role: str
    role_lane: str
    role_help_desk: str
    role_unattended: str
    area: str
    area_inside: str
    without_limit: str
    inside: str
    behind: str
    unknown_tickets: str
    unknown_admit: str
    unknown_online_only: str
    unknown_supervisor: str
    paper: str
    id_check: str
    yes: str
    no: str
    network_title: str
    server: str
    link: str
    link_up: str
    link_down: str
    data: str
    data_position: str
    log: str
    log_position: str
    keys: str
    keys_version: str
    policy_version: str
    clock: str
    clock_within: str
    software: str
    stale_rule: str
    stale_warn: str
    stale_supervisor: str
    stale_refuse: str
    night_counts: str
    night_sent: str
    night_unsent: str
    night_drill: str


class EnrolLabels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written on the first screen of a machine that is no gate yet."""

    title: str
    text: str
    server: str
    code: str
    hint: str
    asking: str
    refused: str
    done: str
    clock_ahead: str
    clock_behind: str
    go_on: str
