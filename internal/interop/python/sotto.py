"""A second reading of docs/protocol.md: handshake, keys, joins, records, control. It shares nothing with the Go code.

The section numbers are that page's. Refused says at which stage something failed (section 13)."""

import base64
import hashlib
import hmac
import struct

import mlkem
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BLOCK, MOST, AHEAD, PER_KEY = 468, 64, 16, 3000
PROFILES = [(6, 60), (9, 40), (12, 30)]
EVERYTHING = (1, 7, 1)  # versions, profiles, paces

class Refused(Exception):
    def __init__(self, stage):
        super().__init__(stage)
        self.stage = stage

# 2 Addresses

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P

def _x(y, sign):
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != xx or (x == 0 and sign):
        return None
    return P - x if x % 2 != sign else x

def _add(a, b):  # extended coordinates, RFC 8032 section 5.1.4
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    m, n, c, d = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2), 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P

def _times(n, point):
    out = (0, 1, 1, 0)
    for bit in bin(n)[2:]:
        out = _add(out, out)
        if bit == "1":
            out = _add(out, point)
    return out

def _is_identity(point):
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0

def check_address(key):
    if len(key) != 32:
        raise Refused("address")
    n = int.from_bytes(key, "little")
    y, sign = n & (2**255 - 1), n >> 255
    x = _x(y, sign) if y < P else None
    if x is None:
        raise Refused("address")
    point = (x, y, 1, x * y % P)
    if _is_identity(point) or not _is_identity(_times(L, point)):
        raise Refused("address")
    return key

def parse_onion(name):
    try:
        raw = base64.b32decode(name.removesuffix(".onion").upper())
    except ValueError as e:
        raise Refused("address") from e
    if len(raw) != 35 or raw[34] != 3 or onion(raw[:32]) != name.removesuffix(".onion") + ".onion":
        raise Refused("address")
    return check_address(raw[:32])

def onion(key):
    checksum = hashlib.sha3_256(b".onion checksum" + key + b"\x03").digest()[:2]
    return base64.b32encode(key + checksum + b"\x03").decode().lower() + ".onion"

def x25519_form(key):
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return ((1 + y) * pow(1 - y, P - 2, P) % P).to_bytes(32, "little")

def secret(expanded):
    """The scalar of tor's expanded key, and the address that it makes."""
    if len(expanded) != 64 or expanded[0] & 7 or expanded[31] & 0xC0 != 0x40:
        raise Refused("key")
    x = _x(BASE_Y, 0)
    px, py, pz, _ = _times(int.from_bytes(expanded[:32], "little"), (x, BASE_Y, 1, x * BASE_Y % P))
    inverse = pow(pz, P - 2, P)
    n = py * inverse % P | (px * inverse % P % 2) << 255
    return expanded[:32], n.to_bytes(32, "little")

# 15 Noise

def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

def dh(private, peer, stage):
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError as e:  # all zeros
        raise Refused(stage) from e

def _h(data):
    return hashlib.blake2s(data).digest()

def _noise_hkdf(ck, data, n):
    t, out = hmac.new(ck, data, hashlib.blake2s).digest(), [b""]
    for i in range(1, n + 1):
        out.append(hmac.new(t, out[-1] + bytes([i]), hashlib.blake2s).digest())
    return out[1:]

class Noise:
    def __init__(self, callee):
        self.h = self.ck = _h(b"Noise_XKpsk2_25519_ChaChaPoly_BLAKE2s")
        self.mix_hash(b"sotto" + callee)
        self.mix_hash(x25519_form(callee))

    def mix_hash(self, data):
        self.h = _h(self.h + data)

    def mix_key(self, data):
        self.ck, self.k = _noise_hkdf(self.ck, data, 2)
        self.n = 0

    def mix_psk(self, psk):
        self.ck, t, self.k = _noise_hkdf(self.ck, psk, 3)
        self.mix_hash(t)
        self.n = 0

    def ephemeral(self, e):
        self.mix_hash(e)
        self.mix_key(e)

    def _nonce(self):
        self.n += 1
        return struct.pack("<IQ", 0, self.n - 1)

    def seal(self, plain):
        out = ChaCha20Poly1305(self.k).encrypt(self._nonce(), plain, self.h)
        self.mix_hash(out)
        return out

    def open(self, sealed, stage):
        try:
            plain = ChaCha20Poly1305(self.k).decrypt(self._nonce(), sealed, self.h)
        except InvalidTag as e:
            raise Refused(stage) from e
        self.mix_hash(sealed)
        return plain

    def secrets(self):
        return self.h, *_noise_hkdf(self.ck, b"", 2)

# 4 Handshake

def hkdf(salt, ikm, info, n):
    return HKDF(hashes.SHA256(), n, salt or None, info).derive(ikm)

def _psk(shared, ek, ct):
    return hkdf(b"", shared, b"sotto/1 psk" + hashlib.sha256(ek).digest() + hashlib.sha256(ct).digest(), 32)

class Caller:
    def __init__(self, own, callee, offer, kem_seed, e):
        (self.s, self.address), self.callee, self.offer, self.e = secret(own), callee, offer, e
        self.ek, self.dk = mlkem.keygen(kem_seed)
        self.noise = Noise(callee)

    def m1(self):
        e = public(self.e)
        self.noise.ephemeral(e)
        self.noise.mix_key(dh(self.e, x25519_form(self.callee), "m1"))
        return e + self.noise.seal(self.ek + struct.pack(">HHH", *self.offer) + bytes(166))

    def m2(self, m2):
        if len(m2) != 3 * BLOCK:
            raise Refused("m2")
        ct, self.re = m2[:1088], m2[1088:1120]
        self.noise.ephemeral(self.re)
        self.noise.mix_key(dh(self.e, self.re, "m2"))
        self.noise.mix_psk(_psk(mlkem.decapsulate(self.dk, ct), self.ek, ct))
        version, profile, pace = choice = tuple(self.noise.open(m2[1120:], "m2")[:3])
        if not version or not self.offer[0] >> version - 1 & self.offer[1] >> profile & self.offer[2] >> pace & 1:
            raise Refused("choice")
        return choice

    def m3(self, call_id, paths):
        s = self.noise.seal(x25519_form(self.address))
        self.noise.mix_key(dh(self.s, self.re, "m3"))
        m3 = s + self.noise.seal(self.address + call_id + bytes([paths]) + bytes(355))
        return m3, self.noise.secrets()

class Callee:
    def __init__(self, own, offer, e, m):
        (self.s, self.address), self.offer, self.e, self.m = secret(own), offer, e, m
        self.noise = Noise(self.address)

    def m1(self, m1):
        if len(m1) != 3 * BLOCK:
            raise Refused("m1")
        self.re = m1[:32]
        self.noise.ephemeral(self.re)
        self.noise.mix_key(dh(self.s, self.re, "m1"))
        payload = self.noise.open(m1[32:], "m1")
        self.ek = payload[:1184]
        both = [a & b for a, b in zip(struct.unpack(">HHH", payload[1184:1190]), self.offer)]
        if not all(both):
            raise Refused("offer")
        if not mlkem.check(self.ek):
            raise Refused("ek")
        lowest = [(b & -b).bit_length() - 1 for b in both]
        self.choice = both[0].bit_length(), lowest[1], lowest[2]

    def m2(self):
        shared, ct = mlkem.encapsulate(self.ek, self.m)
        e = public(self.e)
        self.noise.ephemeral(e)
        self.noise.mix_key(dh(self.e, self.re, "m1"))
        self.noise.mix_psk(_psk(shared, self.ek, ct))
        return ct + e + self.noise.seal(bytes(self.choice) + bytes(265))

    def m3(self, m3):
        if len(m3) != BLOCK:
            raise Refused("m3")
        s = self.noise.open(m3[:48], "m3")
        self.noise.mix_key(dh(self.e, s, "m3"))
        payload = self.noise.open(m3[48:], "m3")
        try:
            caller = check_address(payload[:32])
        except Refused as e:
            raise Refused("caller") from e
        if x25519_form(caller) != s:
            raise Refused("caller")
        return caller, payload[32:48], payload[48], self.noise.secrets()

# 5 Keys, 6 Joining a path

class Path:
    """The keys of one path's join."""

    def __init__(self, number, link):
        self.number, self.tag, self.jc, self.js = number, link[:16], link[16:48], link[48:80]

    def record_keys(self, nonces=b""):
        out = hkdf(nonces, self.jc + self.js, b"sotto/1 record", 64)
        return out[:32], out[32:]

    def join(self, nc):
        return self.tag + ChaCha20Poly1305(self.jc).encrypt(bytes(12), nc + bytes(404), self.tag)

    def open_join(self, join):
        return _open(self.jc, bytes(12), join[16:], self.tag, "join")[:32]

    def answer(self, join, ns):
        return ChaCha20Poly1305(self.js).encrypt(bytes(12), ns + bytes(420), hashlib.sha256(join).digest())

    def open_answer(self, join, answer):
        return _open(self.js, bytes(12), answer, hashlib.sha256(join).digest(), "answer")[:32]

def _open(key, nonce, sealed, ad, stage):
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, ad)
    except InvalidTag as e:
        raise Refused(stage) from e

class Chain:
    def __init__(self, h, k1, k2):
        self.key, self.next, self.burned, self.live = hmac.digest(h, k1 + k2, "sha256"), 0, 0, {}

    def take(self):
        link = HKDFExpand(hashes.SHA256(), 112, b"sotto/1 path").derive(self.key)
        path, self.key = Path(self.next, link), link[80:]
        self.next += 1
        return path

    def extend(self):
        """The callee's, path 0 being taken: makes tags live."""
        while self.next <= min(self.burned + AHEAD, MOST - 1):
            path = self.take()
            self.live[path.tag] = path

    def find(self, tag):
        self.extend()
        if tag not in self.live:
            raise Refused("tag")
        return self.live[tag]

    def burn(self, path):
        del self.live[path.tag]
        self.burned = max(self.burned, path.number)

# 7 Records

class Lane:
    """One direction of one path."""

    def __init__(self, key):
        self.key, self.number = key, 0

    def _nonce(self):
        if self.number == PER_KEY:
            self.key, self.number = HKDFExpand(hashes.SHA256(), 32, b"sotto/1 next").derive(self.key), 0
        self.number += 1
        return (self.number - 1).to_bytes(12, "big")

    def seal(self, plain):
        nonce = self._nonce()
        return ChaCha20Poly1305(self.key).encrypt(nonce, plain, b"")

    def open(self, block):
        if len(block) != BLOCK:
            raise Refused("record")
        nonce = self._nonce()
        return _open(self.key, nonce, block, b"", "record")

def put_record(tick, frames, newest, reports, piece):
    out = struct.pack(">IIB3x", tick, newest, len(frames))
    for path, lateness, number in reports[:4]:
        out += struct.pack(">BxHI", path, lateness, number)
    out += struct.pack(">BxHI", 255, 0, 0) * (4 - len(reports[:4])) + piece
    return (out + b"".join(frames)).ljust(452, b"\0")

def get_record(plain, profile):
    most, size = PROFILES[profile]
    tick, newest, count = struct.unpack(">IIB", plain[:9])
    if count > most or count > newest + 1:
        raise Refused("contents")
    reports = [r for r in struct.iter_unpack(">BxHI", plain[12:44]) if r[0] != 255]
    frames = [plain[92 + i * size :][:size] for i in range(count)]
    return tick, newest, frames, reports, plain[44:92]

# 9 Control stream

class Control:
    def __init__(self):
        self.open, self.first, self.turn, self.want, self.kept, self.message = [], 0, 0, 0, {}, b""

    def send(self, kind, body=b""):
        message = bytes([kind]) + body
        parts = [message[i : i + 43] for i in range(0, len(message), 43)]
        for part in parts:
            self.open.append((len(part) | (0x80 if part is not parts[-1] else 0), part.ljust(43, b"\0")))

    def fill(self):
        window = self.open[:16]
        if not window:
            return struct.pack(">HHB43x", 0, self.want, 0)
        i = self.turn % len(window)
        self.turn = i + 1
        return struct.pack(">HHB", (self.first + i) % 65536, self.want, window[i][0]) + window[i][1]

    def take(self, piece):
        """The messages that became whole."""
        seq, ack, head = struct.unpack(">HHB", piece[:5])
        passed = (ack - self.first) % 65536
        if passed <= len(self.open[:16]):
            self.open, self.first = self.open[passed:], (self.first + passed) % 65536
        used, whole = head & 0x3F, []
        if used > 43:
            raise Refused("control")
        if used and (seq - self.want) % 65536 < 16:
            self.kept[seq] = head & 0x80, piece[5 : 5 + used]
        while self.want in self.kept:
            more, data = self.kept.pop(self.want)
            self.want = (self.want + 1) % 65536
            self.message += data
            if len(self.message) > 1024:
                raise Refused("control")
            if not more:
                whole.append((self.message[0], self.message[1:]))
                self.message = b""
        return whole
