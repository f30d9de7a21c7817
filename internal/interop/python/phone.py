"""A phone without sound, over Unix sockets in place of Tor. Four ways to use it:

  phone.py pump-call   SOCKET KEY ADDRESS   handshake, then 3,010 records each way as fast as they go
  phone.py pump-answer SOCKET KEY           the same, called
  phone.py call        SOCKET KEY ADDRESS   rings, joins a second path, talks for a while, hangs up
  phone.py answer      SOCKET KEY           is called once, answers, talks until the other hangs up

KEY is the 64-byte secret key, in hexadecimal digits. What happened is printed as JSON. Frame n holds n, 60 times."""

import json
import os
import select
import socket
import sys
import time

import sotto

PUMPED, TICK = 3010, 0.02

def read(conn, n):
    out = b""
    while len(out) < n:
        more = conn.recv(n - len(out))
        if not more:
            raise EOFError
        out += more
    return out

def dial(path):
    conn = socket.socket(socket.AF_UNIX)
    conn.settimeout(15)
    conn.connect(path)
    return conn

def greet(conn, own, callee):
    caller = sotto.Caller(own, callee, sotto.EVERYTHING, os.urandom(64), os.urandom(32))
    conn.sendall(caller.m1())
    choice = caller.m2(read(conn, 3 * sotto.BLOCK))
    m3, secrets = caller.m3(os.urandom(16), 2)
    conn.sendall(m3)
    return choice, sotto.Chain(*secrets)

def receive(conn, own, begun=b""):
    callee = sotto.Callee(own, sotto.EVERYTHING, os.urandom(32), os.urandom(32))
    callee.m1(begun + read(conn, 3 * sotto.BLOCK - len(begun)))
    conn.sendall(callee.m2())
    caller, _, _, secrets = callee.m3(read(conn, sotto.BLOCK))
    return caller, callee.choice, sotto.Chain(*secrets)

def pump(conn, keys):
    out, back = map(sotto.Lane, keys)
    for n in range(PUMPED):
        conn.sendall(out.seal(n.to_bytes(452, "big")))
        assert back.open(read(conn, sotto.BLOCK)) == n.to_bytes(452, "big")
    return {"pumped": PUMPED}

class Carrier:
    """One path of a call, and what is to be reported of it."""

    def __init__(self, number, conn, out, back):
        self.number, self.conn, self.out, self.back = number, conn, sotto.Lane(out), sotto.Lane(back)
        self.got, self.offset, self.buffer = 0, 0.0, b""
        conn.setblocking(True)

class Phone:
    def __init__(self, profile):
        self.profile, self.control, self.carriers = profile, sotto.Control(), []
        self.began, self.tick, self.frames, self.heard, self.texts = time.monotonic(), 0, [], {}, []
        self.talking, self.phases, self.closing, self.reports, self.records = False, [], None, {}, {}

    def enter(self, phase):
        self.phases.append(phase)
        self.talking = phase == "talking"
        if phase == "closing":
            self.closing = self.tick

    def said(self, kind, body):
        if kind == 1:
            self.control.send(2)
            self.control.send(3)
            self.enter("talking")
        elif kind in (2, 3) and self.closing is None:
            self.enter({2: "ringing", 3: "talking"}[kind])
        elif kind in (4, 5, 6) and self.closing is None:
            self.enter("closing")
        elif kind == 8:
            self.texts.append(body.decode())

    def take(self, carrier, block):
        plain = carrier.back.open(block)
        tick, newest, frames, reports, piece = sotto.get_record(plain, self.profile)
        carrier.got += 1
        self.records[carrier.number] = carrier.got
        carrier.offset = time.monotonic() - TICK * tick
        for number, _, record in reports:
            self.reports[number] = record
        for i, frame in enumerate(frames):
            self.heard.setdefault(newest - i, frame)
        for message in self.control.take(piece):
            self.said(*message)

    def send(self):
        self.tick += 1
        if self.talking:
            self.frames.insert(0, (len(self.frames) % 256).to_bytes(1, "big") * 60)
        got = [c for c in self.carriers if c.got]
        best = min((c.offset for c in got), default=0)
        reports = [(c.number, int((c.offset - best) / 0.005), c.got - 1) for c in got]
        newest = max(len(self.frames) - 1, 0)
        plain = sotto.put_record(self.tick, self.frames[:6], newest, reports, self.control.fill())
        carrier = self.carriers[self.tick % len(self.carriers)]
        carrier.conn.sendall(carrier.out.seal(plain))

    def run(self, each_tick, listener=None):
        """Lives until half a second after the hang-up. A stream that comes in is given to joined."""
        while self.closing is None or self.tick < self.closing + 25:
            due = self.began + TICK * (self.tick + 1)
            sources = [c.conn for c in self.carriers] + ([listener] if listener else [])
            ready = select.select(sources, [], [], max(0, due - time.monotonic()))[0]
            for carrier in [c for c in self.carriers if c.conn in ready]:
                data = carrier.conn.recv(65536)
                if not data:
                    self.carriers.remove(carrier)
                carrier.buffer += data
                while len(carrier.buffer) >= sotto.BLOCK:
                    block, carrier.buffer = carrier.buffer[: sotto.BLOCK], carrier.buffer[sotto.BLOCK :]
                    self.take(carrier, block)
            if listener in ready:
                self.joined(listener.accept()[0])
            if not self.carriers:
                break
            if time.monotonic() >= due:
                each_tick(self)
                self.send()
        self.phases.append("over")

    def joined(self, conn):
        block = read(conn, sotto.BLOCK)
        path, ns = self.chain.find(block[:16]), os.urandom(32)
        nc = path.open_join(block)
        self.chain.burn(path)
        conn.sendall(path.answer(block, ns))
        kc, ks = path.record_keys(nc + ns)
        self.carriers.append(Carrier(path.number, conn, ks, kc))

    def report(self, **more):
        right = sum(frame == bytes([n % 256]) * 60 for n, frame in self.heard.items())
        return {"phases": self.phases, "heard": len(self.heard), "right": right, "said": len(self.frames), "texts": self.texts,
                "records": self.records, "reported": self.reports, **more}

def call(path, own, callee):
    first = dial(path)
    choice, chain = greet(first, own, callee)
    phone = Phone(choice[1])
    kc, ks = chain.take().record_keys()
    phone.carriers.append(Carrier(0, first, kc, ks))
    phone.control.send(1)

    def each_tick(phone):
        if phone.tick == 20:
            link, conn, nc = chain.take(), dial(path), os.urandom(32)
            join = link.join(nc)
            conn.sendall(join)
            kc, ks = link.record_keys(nc + link.open_answer(join, read(conn, sotto.BLOCK)))
            phone.carriers.append(Carrier(link.number, conn, kc, ks))
        if phone.tick == 60:
            phone.control.send(8, b"sotto voce " * 20)
        if phone.tick == 120:
            phone.control.send(6, b"\0")
            phone.enter("closing")

    phone.run(each_tick)
    return phone.report()

def answer(listener, own):
    conn = listener.accept()[0]
    caller, choice, chain = receive(conn, own)
    phone = Phone(choice[1])
    phone.chain = chain
    kc, ks = chain.take().record_keys()
    phone.carriers.append(Carrier(0, conn, ks, kc))
    chain.extend()
    phone.run(lambda _: None, listener)
    return phone.report(caller=sotto.onion(caller))

def main():
    mode, path, own = sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3])
    if mode.endswith("answer"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)
        print("listening", flush=True)
        if mode == "answer":
            return answer(listener, own)
        conn = listener.accept()[0]
        caller, _, chain = receive(conn, own)
        kc, ks = chain.take().record_keys()
        return {"caller": sotto.onion(caller), **pump(conn, (ks, kc))}
    callee = sotto.parse_onion(sys.argv[4])
    if mode == "call":
        return call(path, own, callee)
    conn = dial(path)
    return pump(conn, greet(conn, own, callee)[1].take().record_keys())

print(json.dumps(main()))
