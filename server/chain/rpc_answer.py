"""Reading JSON-RPC answers of Solana nodes, their proxies and their providers, none of which keep to one form.

Solana's own client types are not used for this: they end the process on an error object without ``data``, which is what
every second sending of a transaction gets.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from server.chain.problems import NodeFailed, Trouble

_SHOWN = 200
_ABSENT = b""
_NULL = b"null"


class _Answer(Struct):
    id: int | str | None = None
    result: Raw = Raw(_ABSENT)
    error: Raw = Raw(_ABSENT)


class _Error(Struct):
    code: int | None = None
    message: str = ""
    data: Raw = Raw(_ABSENT)


class _Data(Struct):
    err: Raw = Raw(_ABSENT)
    logs: list[str] | None = None


_BY_CODE = {
    -32004: Trouble.BEHIND,
    -32005: Trouble.BEHIND,
    -32007: Trouble.BEHIND,
    -32009: Trouble.BEHIND,
    -32014: Trouble.BEHIND,
    -32016: Trouble.BEHIND,
    429: Trouble.LIMITED,
    -32429: Trouble.LIMITED,
    -32003: Trouble.REFUSED,
}
# Preflight failures share one code; what they mean stands in the text, in one of two spellings.
_BY_WORDS = (
    ("already been processed", Trouble.KNOWN),
    ("alreadyprocessed", Trouble.KNOWN),
    ("blockhash not found", Trouble.EXPIRED),
    ("blockhashnotfound", Trouble.EXPIRED),
    ("insufficientfundsforfee", Trouble.POOR),
    ("insufficient funds", Trouble.POOR),
    ("found no record of a prior credit", Trouble.POOR),
    ("too many requests", Trouble.LIMITED),
)
_PREFLIGHT = -32002


def read_answer(body: bytes, wanted: int) -> Raw:
    """Return the result of the answer to request ``wanted``; a result of null is one.

    Raises:
        NodeFailed: the answer is an error, belongs to another request, or is none.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.MsgspecError as exc:
        raise NodeFailed("The node answered something that is no JSON-RPC.", Trouble.AWAY) from exc
    if bytes(answer.error) not in (_ABSENT, _NULL):
        raise _describe(bytes(answer.error))
    if answer.id != wanted or bytes(answer.result) == _ABSENT:
        raise NodeFailed("The node answered another question.", Trouble.AWAY)
    return answer.result


def _describe(raw: bytes) -> NodeFailed:
    try:
        error = msgspec.json.decode(raw, type=_Error)
    except msgspec.MsgspecError:
        text = raw.decode(errors="replace")
        return NodeFailed(f"The node says {text[:_SHOWN]}", _tell(text) or Trouble.OTHER)
    data = _read_data(error.data)
    detail = f"{error.message} {bytes(data.err).decode(errors='replace')}"
    trouble = _tell(detail) or _BY_CODE.get(error.code or 0) or _of_preflight(error.code)
    return NodeFailed(f"The node says {error.message[:_SHOWN]} ({error.code}).", trouble, tuple(data.logs or ()))


def _read_data(raw: Raw) -> _Data:
    try:
        return msgspec.json.decode(bytes(raw), type=_Data) if bytes(raw) not in (_ABSENT, _NULL) else _Data()
    except msgspec.MsgspecError:
        return _Data()


def _tell(text: str) -> Trouble | None:
    lower = text.lower()
    return next((trouble for words, trouble in _BY_WORDS if words in lower), None)


def _of_preflight(code: int | None) -> Trouble:
    return Trouble.REFUSED if code == _PREFLIGHT else Trouble.OTHER
