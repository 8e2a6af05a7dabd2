"""Which admissions count at other gates: those that show a code was seen, live or printed, as the server recomputes.

A stolen gate knows every ticket's hash, but no code that was not shown to it. So what it claims is recorded and
classified like everything else, and yet bars nobody's way elsewhere. What the server itself wrote down needs no proof.
"""

from __future__ import annotations

from msgspec.structs import replace

from server.domain.server_gate import is_server_gate
from server.services.rows_gates import WorldAdmission
from shared.admission.presence import Admission
from shared.ids import GateId
from shared.sync.feed import AdmissionEntry
from shared.sync.scan import ScanRecord, as_admission, decode_record


def counts_elsewhere(record: ScanRecord, gate: GateId, *, proven: bool) -> bool:
    """Return whether an admission bars the ticket at other gates and moves its state."""
    return proven or is_server_gate(gate, record.event)


def judged_admission(record: ScanRecord, gate: GateId, *, proven: bool) -> Admission:
    """Return the ledger's part of a record, with the server's judgement of its proof instead of the gate's claim.

    In the ledger only a live code is proof: two people can hold copies of a printed one.
    """
    return replace(as_admission(record, gate), proven=proven and record.proof is not None)


def admission_entry(stored: WorldAdmission) -> AdmissionEntry | None:
    """Return what the feed says of a stored admission, not numbered yet; None when it does not count elsewhere.

    Raises:
        CodeMalformed: the stored record cannot be read.
    """
    record = decode_record(stored.body)
    if record.handle_hash is None or not counts_elsewhere(record, stored.gate, proven=stored.proven):
        return None
    admission = judged_admission(record, stored.gate, proven=stored.proven)
    return AdmissionEntry(seq=0, handle_hash=record.handle_hash, admission=admission)
