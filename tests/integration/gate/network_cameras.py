"""Network cameras of ours, on loopback: pictures as JPEG over HTTP, and over RTSP with its RTP in the same connection.

Both give the same picture again and again, as a camera that looks at a table; it can be exchanged, frozen and unplugged.
RTSP: RFC 2326 as far as a player asks; RTP payload: RFC 2435, with the quantization tables in the packets.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Protocol

import cv2
import numpy as np

from gate.scanner.frames import Image

_EVERY_S = 0.04
_PACKET_BYTES = 1300
_CLOCK_HZ = 90_000


def encode_jpeg(gray: Image) -> bytes:
    """Return a gray picture as a colour JPEG: RFC 2435 knows no other."""
    colour = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    return bytes(cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


class Dialogue(Protocol):
    """What a camera says to one client, picture by picture."""

    def greet(self, client: socket.socket) -> None:
        """Do all that comes before the first picture; raises OSError when the client goes."""
        ...

    def send(self, client: socket.socket, jpeg: bytes) -> None:
        """Send one picture; raises OSError when the client is gone."""
        ...


class Http:
    """Motion JPEG as one endless answer of many parts."""

    scheme = "http"

    def greet(self, client: socket.socket) -> None:
        """Answer whatever is asked."""
        _read_head(client)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n")

    def send(self, client: socket.socket, jpeg: bytes) -> None:
        """Send one part."""
        head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        client.sendall(head.encode() + jpeg + b"\r\n")


class Rtsp:
    """Motion JPEG as RTP packets between the answers of RTSP."""

    scheme = "rtsp"

    def __init__(self) -> None:
        self._sequence = 0
        self._pictures = 0

    def greet(self, client: socket.socket) -> None:
        """Answer until the client wants to see pictures."""
        while True:
            lines = _read_head(client).split("\r\n")
            method, url = lines[0].split()[:2]
            fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            client.sendall(_answer_rtsp(method, url, fields))
            if method == "PLAY":
                return

    def send(self, client: socket.socket, jpeg: bytes) -> None:
        """Send one picture as packets; the last one is marked."""
        self._pictures += 1
        time = int(self._pictures * _EVERY_S * _CLOCK_HZ) & 0xFFFFFFFF
        for payload, last in _cut_jpeg(jpeg):
            self._sequence = (self._sequence + 1) & 0xFFFF
            rtp = struct.pack("!BBHII", 0x80, 26 | (0x80 if last else 0), self._sequence, time, 1) + payload
            client.sendall(struct.pack("!cBH", b"$", 0, len(rtp)) + rtp)


class NetworkCamera:
    """A camera at one address for as long as it lives; each client has a thread."""

    def __init__(self, kind: type[Http | Rtsp], picture: Image) -> None:
        self._kind = kind
        self._jpeg = encode_jpeg(picture)
        self._clients: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._port = 0
        self.served = threading.Semaphore(0)
        self._flowing = threading.Event()
        self._flowing.set()
        self.plug_in()

    @property
    def url(self) -> str:
        """Where it is, with a name and a password as cameras have them."""
        return f"{self._kind.scheme}://door:s3cret@127.0.0.1:{self._port}/lane"

    def show(self, picture: Image) -> None:
        """Look at something else."""
        self._jpeg = encode_jpeg(picture)

    def freeze(self) -> None:
        """Send nothing more, and keep the line."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Send pictures again."""
        self._flowing.set()

    def plug_in(self) -> None:
        """Be there, at the address it had before."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def unplug(self) -> None:
        """Be gone from one moment to the next."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for client in self._clients:
            # Reset, not closed in good order: nobody says goodbye when a cable is pulled.
            with suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.shutdown(socket.SHUT_RDWR)
        self._clients.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        dialogue: Dialogue = self._kind()
        # A client that goes says so by nothing but the line.
        with client, suppress(OSError, EOFError):
            dialogue.greet(client)
            self.served.release()
            pause = threading.Event()
            while True:
                self._flowing.wait()
                dialogue.send(client, self._jpeg)
                pause.wait(_EVERY_S)


def _read_head(client: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        if not byte:
            raise EOFError
        head += byte
    return head.decode()


def _answer_rtsp(method: str, url: str, fields: dict[str, str]) -> bytes:
    lines = ["RTSP/1.0 200 OK", f"CSeq: {fields['CSeq']}", "Session: 1"]
    body = ""
    if method == "OPTIONS":
        lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
    elif method == "DESCRIBE":
        body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=lane\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track\r\n"
        lines += ["Content-Type: application/sdp", f"Content-Base: {url}/", f"Content-Length: {len(body)}"]
    elif method == "SETUP":
        lines.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def _cut_jpeg(jpeg: bytes) -> list[tuple[bytes, bool]]:
    """Return the payloads of a JPEG's packets and which is the last."""
    tables, size, scan = _take_apart(jpeg)
    height, width = size
    tables_head = struct.pack("!BBH", 0, 0, len(tables)) + tables
    parts = []
    for start in range(0, len(scan), _PACKET_BYTES):
        # Type 1: 4:2:0; quality 255: the tables come along.
        head = struct.pack("!B3sBBBB", 0, start.to_bytes(3, "big"), 1, 255, width // 8, height // 8)
        part = scan[start : start + _PACKET_BYTES]
        parts.append((head + (b"" if start else tables_head) + part, start + _PACKET_BYTES >= len(scan)))
    return parts


def _take_apart(jpeg: bytes) -> tuple[bytes, tuple[int, int], bytes]:
    """Return a baseline JPEG's quantization tables, its height and width, and what lies between its headers and its end."""
    tables, size, at = b"", (0, 0), 2
    while True:
        marker, length = struct.unpack_from("!HH", jpeg, at)
        segment = jpeg[at + 4 : at + 2 + length]
        if marker == 0xFFDB:
            tables += b"".join(segment[start + 1 : start + 65] for start in range(0, len(segment), 65))
        elif marker == 0xFFC0:
            size = struct.unpack_from("!HH", segment, 1)
        at += 2 + length
        if marker == 0xFFDA:
            return tables, (size[0], size[1]), jpeg[at:-2]


def draw_table(code: Image) -> Image:
    """Return a 640x480 picture with a code in its middle."""
    picture = np.full((480, 640), 128, dtype=np.uint8)
    top, left = (480 - code.shape[0]) // 2, (640 - code.shape[1]) // 2
    picture[top : top + code.shape[0], left : left + code.shape[1]] = code
    return picture
