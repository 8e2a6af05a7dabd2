"""How many codes each reader reads in how many milliseconds, on the same spoiled pictures in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import zxingcpp
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.corpus import SIZES, Kind, Picture, draw_corpus
from benchmarks.filmed import compare_on_film, draw_crowd
from benchmarks.following import FollowingReader
from benchmarks.report import Report, Row, describe_machine, make_parser, measure, show, tell
from gate.scanner.area import Area, AreaDecoder
from gate.scanner.capture import silence_opencv
from gate.scanner.decoder import ZxingDecoder
from gate.scanner.second import TwoDecoders, ZbarDecoder, load_zbar
from shared.clock import SystemClock

_SEED = 23
_MIDDLE = Area(left=20, top=10, width=60, height=80)
_PEOPLE_EACH = 2
_EXAMPLES = """  python -m benchmarks.decoders
  python -m benchmarks.decoders --quick --json
  python -m benchmarks.decoders --tickets 40     # more pictures of each kind and size
"""

Read = Callable[[NDArray[np.uint8]], list[str]]


class Reader(Struct, frozen=True, kw_only=True, eq=False):
    """A reader under its name."""

    name: str
    read: Read


class Tally(Struct, kw_only=True, eq=False):
    """What a reader did: codes there were and codes read of each kind, texts that were in no picture, milliseconds."""

    there: dict[Kind, int]
    found: dict[Kind, int]
    wrong: int
    took_ms: list[float]
    empty_ms: list[float]

    def note(self, picture: Picture, texts: list[str], took_ms: float) -> None:
        """Count one picture."""
        read = set(texts) & picture.texts
        self.wrong += len(set(texts) - picture.texts)
        self.there[picture.kind] += len(picture.texts)
        self.found[picture.kind] += len(read)
        (self.took_ms if picture.texts else self.empty_ms).append(took_ms)

    def rate(self, *kinds: Kind) -> float:
        """Return the percentage of codes read."""
        there = sum(self.there[kind] for kind in kinds)
        return 100 * sum(self.found[kind] for kind in kinds) / there if there else 0.0


def _readers() -> list[Reader]:
    pipeline = ZxingDecoder()
    helped = TwoDecoders(ZxingDecoder(), ZbarDecoder(load_zbar()), SystemClock())
    return [
        Reader(name="the gate's pipeline", read=pipeline.decode),
        Reader(name="pipeline with zbar", read=helped.decode),
        Reader(name="pipeline in the middle", read=AreaDecoder(ZxingDecoder(), _MIDDLE).decode),
        Reader(name="following reader", read=FollowingReader().read),
        Reader(name="zxing-cpp", read=_read_zxing),
        Reader(name="pyzbar", read=_make_zbar()),
        Reader(name="OpenCV", read=_make_opencv()),
    ]


def _read_zxing(image: NDArray[np.uint8]) -> list[str]:
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2))
    return [code.text for code in found if code.valid]


def _make_zbar() -> Read:
    call = load_zbar()
    return lambda image: [symbol.data.decode("utf-8", "replace") for symbol in call(image)]


def _make_opencv() -> Read:
    detector = cv2.QRCodeDetector()

    def read(image: NDArray[np.uint8]) -> list[str]:
        _, texts, _, _ = detector.detectAndDecodeMulti(image)
        return [text for text in texts if text]

    return read


def film(people: int) -> list[Row]:
    """Let every reader, made anew, see the same film."""
    readers = [(reader.name, reader.read) for reader in _readers()]
    return list(compare_on_film(readers, draw_crowd(people, _SEED)))


def compare(each: int, sizes: Sequence[tuple[int, int]]) -> dict[str, Tally]:
    """Let every reader look at every picture, in an order that changes from picture to picture."""
    readers = _readers()
    tallies = {reader.name: _new_tally() for reader in readers}
    for number, picture in enumerate(draw_corpus(each, _SEED, sizes)):
        turn = number % len(readers)
        for reader in readers[turn:] + readers[:turn]:
            began_s = time.perf_counter()
            texts = reader.read(picture.image)
            tallies[reader.name].note(picture, texts, (time.perf_counter() - began_s) * 1000)
        if number % 100 == 99:
            tell(f"{number + 1} pictures")
    return tallies


def _new_tally() -> Tally:
    return Tally(there=dict.fromkeys(Kind, 0), found=dict.fromkeys(Kind, 0), wrong=0, took_ms=[], empty_ms=[])


def _rows(name: str, tally: Tally) -> list[Row]:
    took = measure(f"{name}: picture with a code, ms", tally.took_ms)
    rate = tally.rate(*Kind)
    return [
        took,
        measure(f"{name}: picture without a code, ms", tally.empty_ms),
        Row(what=f"{name}: all, % read", median=rate, count=sum(tally.there.values())),
        Row(what=f"{name}: % read per ms", median=rate / took.median),
        Row(what=f"{name}: wrong texts", median=tally.wrong),
        *(
            Row(what=f"{name}: {kind}, % read", median=tally.rate(kind), count=tally.there[kind])
            for kind in Kind
            if tally.there[kind]
        ),
    ]


def main() -> None:
    """Measure and print."""
    parser = make_parser(
        "decoders",
        "The gate's way of reading codes against zxing-cpp alone, pyzbar and OpenCV, on spoiled pictures and on a film.",
        _EXAMPLES,
        tickets="pictures of each kind and size: 10, quick: 1",
    )
    arguments = parser.parse_args()
    each = int(arguments.tickets or (1 if arguments.quick else 10))
    silence_opencv()
    sizes = SIZES[:1] if arguments.quick else SIZES
    tallies = compare(each, sizes)
    filmed = film(1 if arguments.quick else each * _PEOPLE_EACH)
    report = Report(
        benchmark="decoders",
        machine=describe_machine(),
        notes={"pictures": f"{each} of each of {len(Kind)} kinds in {len(sizes)} sizes, drawn from seed {_SEED}"},
        rows=[*(row for name, tally in tallies.items() for row in _rows(name, tally)), *filmed],
    )
    show(report, as_json=arguments.json)


if __name__ == "__main__":
    main()
